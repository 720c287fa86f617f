# The sweep: finds what is overdue because its task got lost, and enqueues it again. Every five minutes
# is the longest that a lost task is late.

locals {
  sweep_email = "${google_service_account.sweep.account_id}@${google_service_account.sweep.project}.iam.gserviceaccount.com"
}

resource "google_service_account" "sweep" {
  project      = local.project
  account_id   = "${local.name}-sweep"
  display_name = "envctl ${var.team}: calls the sweep"
}

resource "google_cloud_scheduler_job" "sweep" {
  project          = local.project
  region           = local.region
  name             = "${local.name}-sweep"
  description      = "Enqueues what is overdue because its task got lost."
  schedule         = "*/5 * * * *"
  time_zone        = "Etc/UTC"
  paused           = false # paused by hand it goes on with the next apply
  attempt_deadline = "30s"
  retry_config {
    retry_count = 0 # the next one comes soon
  }
  http_target {
    http_method = "POST"
    uri         = "${local.tasks_url}/api/v1/tasks/sweep"
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode("{}")
    oidc_token {
      service_account_email = local.sweep_email
      audience              = local.tasks_url
    }
  }
  depends_on = [google_cloud_run_v2_service_iam_member.invoker]
}
