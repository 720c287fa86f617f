# Every name of an instance, known before anything exists. Nothing is random: whoever reads a plan
# sees who may do what, and a team's names can be told from its name.

locals {
  name    = "${var.prefix}-${var.team}"
  region  = var.instance.region
  project = var.project.id
  labels  = merge(var.instance.labels, { envctl_team = var.team })

  gateway_region = var.instance.gateway_region == null ? var.instance.region : var.instance.gateway_region

  # Cloud Run's deterministic address of a service: the tasks function must know its own, which is the
  # audience of its callers' tokens, before it exists.
  urls = {
    for name in keys(var.functions) :
    name => "https://${local.name}-${name}-${var.project.number}.${local.region}.run.app"
  }
  tasks_function = one([for name, function in var.functions : name if contains(function.invoked_by, "queue")])
  tasks_url      = local.urls[local.tasks_function]
}
