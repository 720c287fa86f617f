# An alert at half, at nine tenths and at the whole of a month's budget. It counts what carries the
# team's label: functions, gateway and secrets, not the database.

resource "google_billing_budget" "this" {
  count           = var.instance.budget == null ? 0 : 1
  billing_account = var.billing_account
  display_name    = local.name
  amount {
    specified_amount {
      units = tostring(var.instance.budget)
    }
  }
  budget_filter {
    projects = ["projects/${var.project.number}"]
    labels   = { envctl_team = var.team }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  all_updates_rule {
    monitoring_notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  }
}
