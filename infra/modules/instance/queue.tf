locals {
  queue       = "projects/${local.project}/locations/${google_cloud_tasks_queue.this.location}/queues/${google_cloud_tasks_queue.this.name}"
  queue_email = "${google_service_account.queue.account_id}@${google_service_account.queue.project}.iam.gserviceaccount.com"
  enqueuers   = toset([for name, function in var.functions : name if function.enqueues])
}

resource "google_cloud_tasks_queue" "this" {
  project  = local.project
  location = local.region
  name     = "${local.name}-tasks${var.instance.queue_suffix}"

  rate_limits {
    max_concurrent_dispatches = var.functions[local.tasks_function].max * var.functions[local.tasks_function].concurrency
    max_dispatches_per_second = 100
  }
  # A task is dropped once attempts and duration are both used up: 1, 2, 4 … 256 s and then every five
  # minutes, so 20 attempts take about an hour too. The sweep makes up what is dropped.
  retry_config {
    max_attempts       = local.max_attempts
    max_retry_duration = "3600s"
    min_backoff        = "1s"
    max_backoff        = "300s"
    max_doublings      = 8
  }
}

locals {
  max_attempts = 20
}

# Callbacks are made as this account. It may call the tasks function, and nothing else.
resource "google_service_account" "queue" {
  project      = local.project
  account_id   = "${local.name}-queue"
  display_name = "envctl ${var.team}: calls back"
}

resource "google_cloud_tasks_queue_iam_member" "enqueuer" {
  for_each = local.enqueuers
  project  = local.project
  location = google_cloud_tasks_queue.this.location
  name     = google_cloud_tasks_queue.this.name
  role     = "roles/cloudtasks.enqueuer"
  member   = "serviceAccount:${local.function_emails[each.key]}"
}

# A task with a token of an account can be made only by who may act as that account.
resource "google_service_account_iam_member" "enqueuer" {
  for_each           = local.enqueuers
  service_account_id = "projects/${local.project}/serviceAccounts/${local.queue_email}"
  role               = "roles/iam.serviceAccountUser"
  member             = "serviceAccount:${local.function_emails[each.key]}"
}
