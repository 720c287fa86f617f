# What tells that something is wrong. docs/runbook.md says of each alert, under its key here, what it
# means and what to do. A condition costs a little every month (docs/cost.md), so there are four, and
# one for the uptime check.

locals {
  tasks_service = google_cloudfunctions2_function.this[local.tasks_function].name
  tasks_logs    = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.tasks_service}\""
  services      = "resource.type = \"cloud_run_revision\" AND resource.label.service_name = monitoring.regex.full_match(\"${local.name}-(${join("|", keys(var.functions))})\")"
  requests      = "metric.type = \"run.googleapis.com/request_count\""
  near_limit    = local.max_attempts / 2

  # Counted from log lines of the tasks function. `level` is the severity of these lines.
  metrics = {
    repaired = {
      about  = "Documents that the sweep found overdue: their task got lost."
      level  = "WARNING"
      filter = "${local.tasks_logs} AND jsonPayload.message=\"overdue: its task got lost\""
    }
    retried = {
      about  = "Callbacks at or beyond attempt ${local.near_limit} of ${local.max_attempts}."
      level  = "INFO"
      filter = "${local.tasks_logs} AND jsonPayload.message=\"request\" AND jsonPayload.retry=~\"^(${join("|", range(local.near_limit, local.max_attempts + 1))})$\""
    }
  }
  levels          = ["INFO", "WARNING", "ERROR"]
  written_metrics = { for key, metric in local.metrics : key => metric if index(local.levels, metric.level) >= index(local.levels, local.log_level) }

  alerts = merge(
    { for key, metric in local.written_metrics : key => {
      title       = metric.about
      filter      = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.this[key].name}\""
      denominator = null
      aligner     = "ALIGN_DELTA"
      reducer     = "REDUCE_SUM"
      period      = "300s"
      above       = 0
    } },
    { for check in google_monitoring_uptime_check_config.health[*] : "down" => {
      title       = "/health is not answered to more than one of three places."
      filter      = "resource.type = \"uptime_url\" AND metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.label.check_id = \"${check.uptime_check_id}\""
      denominator = null
      aligner     = "ALIGN_NEXT_OLDER"
      reducer     = "REDUCE_COUNT_FALSE"
      period      = "1200s" # longer than from one check to the next
      above       = 1
    } },
    {
      late = {
        title       = "Tasks are dispatched more than a minute after their time."
        filter      = "resource.type = \"cloud_tasks_queue\" AND resource.label.queue_id = \"${google_cloud_tasks_queue.this.name}\" AND metric.type = \"cloudtasks.googleapis.com/queue/task_attempt_delays\""
        denominator = null
        aligner     = "ALIGN_PERCENTILE_99"
        reducer     = "REDUCE_MAX"
        period      = "300s"
        above       = 60000
      }
      errors = {
        title       = "More than 5 % of requests are answered 5xx."
        filter      = "${local.services} AND ${local.requests} AND metric.label.response_code_class = \"5xx\""
        denominator = "${local.services} AND ${local.requests}"
        aligner     = "ALIGN_DELTA"
        reducer     = "REDUCE_SUM"
        period      = "300s"
        above       = 0.05
      }
    },
  )
}

resource "google_logging_metric" "this" {
  for_each    = local.written_metrics
  project     = local.project
  name        = "${local.name}/${each.key}"
  description = each.value.about
  filter      = each.value.filter
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_notification_channel" "email" {
  for_each     = toset(var.instance.notify)
  project      = local.project
  type         = "email"
  display_name = "envctl ${var.team}: ${each.key}"
  labels       = { email_address = each.key }
}

resource "google_monitoring_alert_policy" "this" {
  for_each              = local.alerts
  project               = local.project
  display_name          = "${local.name}: ${each.key}"
  combiner              = "OR"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  user_labels           = local.labels
  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.title}\n\nWhat to do: docs/runbook.md, \"${each.key}\"."
  }
  conditions {
    display_name = each.value.title
    condition_threshold {
      filter             = each.value.filter
      denominator_filter = each.value.denominator
      comparison         = "COMPARISON_GT"
      threshold_value    = each.value.above
      duration           = "0s"
      aggregations {
        alignment_period     = each.value.period
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }
      dynamic "denominator_aggregations" {
        for_each = each.value.denominator == null ? [] : [true]
        content {
          alignment_period     = each.value.period
          per_series_aligner   = each.value.aligner
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }
}

resource "google_monitoring_dashboard" "this" {
  project = local.project
  dashboard_json = templatefile("${path.module}/dashboard.json.tftpl", {
    name     = local.name
    services = trim(jsonencode(local.services), "\"") # within a JSON text
    queue    = google_cloud_tasks_queue.this.name
    database = google_firestore_database.this.name
    repaired = "logging.googleapis.com/user/${local.name}/repaired"
  })
}

# Opt-in: who asks keeps the docs function from idling.
resource "google_monitoring_uptime_check_config" "health" {
  count            = var.instance.uptime_check ? 1 : 0
  project          = local.project
  display_name     = "${local.name}: health"
  timeout          = "10s"
  period           = "900s"
  selected_regions = ["EUROPE", "USA_OREGON", "ASIA_PACIFIC"]
  user_labels      = local.labels
  http_check {
    path         = "/health"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }
  monitored_resource {
    type   = "uptime_url"
    labels = { project_id = local.project, host = trimprefix(local.base_url, "https://") }
  }
}
