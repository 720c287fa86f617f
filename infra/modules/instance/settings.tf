# What the functions' environment says. shared/config.py validates it at their start; ../../settings.json,
# made from that model, has its bounds, and variables.tf refuses at the plan what breaks them.

locals {
  log_level = lookup(var.instance.settings, "log_level", local.known_settings.log_level.default)

  environment = merge(
    { for name, value in var.instance.settings : "ENVCTL_${upper(name)}" => value },
    {
      ENVCTL_PROJECT           = local.project
      ENVCTL_DATABASE          = google_firestore_database.this.name
      ENVCTL_QUEUE             = local.queue
      ENVCTL_TASKS_URL         = local.tasks_url
      ENVCTL_TASKS_ACCOUNT     = local.queue_email
      ENVCTL_SCHEDULER_ACCOUNT = local.sweep_email
    },
  )
}
