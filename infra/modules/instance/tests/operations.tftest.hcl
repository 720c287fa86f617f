# What tells that something is wrong.

mock_provider "google" {}
mock_provider "google-beta" {}
mock_provider "random" {}

variables {
  project   = { id = "acme-platform", number = "123456789012" }
  prefix    = "envctl"
  team      = "payments"
  instance  = {}
  functions = jsondecode(file("../../functions.json"))
  indexes   = jsondecode(file("../../../shared/indexes.json"))
  bundle    = { bucket = "source", object = "envctl-0.zip" }
  build     = { account = "projects/acme-platform/serviceAccounts/build@acme-platform.iam.gserviceaccount.com", repository = "projects/acme-platform/locations/europe-west1/repositories/images" }
}

run "by_default" {
  command = plan

  # Alerts.
  assert {
    condition     = keys(google_monitoring_alert_policy.this) == ["errors", "late", "repaired", "retried"]
    error_message = "There are these alerts; docs/runbook.md has a section on each."
  }
  assert {
    condition     = alltrue([for key, alert in google_monitoring_alert_policy.this : strcontains(alert.documentation[0].content, "docs/runbook.md, \"${key}\"")])
    error_message = "An alert says where to read on."
  }
  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.this : alert.enabled != false && alert.conditions[0].condition_threshold[0].comparison == "COMPARISON_GT"])
    error_message = "An alert is on, and goes off above its limit."
  }
  assert {
    condition     = google_logging_metric.this["repaired"].filter == "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"envctl-payments-tasks\" AND jsonPayload.message=\"overdue: its task got lost\""
    error_message = "Repairs are counted from the sweep's lines."
  }
  assert {
    condition     = can(regex(regex("retry=~\"(.*)\"$", google_logging_metric.this["retried"].filter)[0], "10")) && !can(regex(regex("retry=~\"(.*)\"$", google_logging_metric.this["retried"].filter)[0], "9")) && can(regex(regex("retry=~\"(.*)\"$", google_logging_metric.this["retried"].filter)[0], "20"))
    error_message = "Attempts count from the tenth of twenty on."
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.this["late"].conditions[0].condition_threshold[0].filter, "\"envctl-payments-tasks\"") && google_monitoring_alert_policy.this["late"].conditions[0].condition_threshold[0].threshold_value == 60000
    error_message = "The queue's delay is the team's queue's, and a minute."
  }
  assert {
    condition     = google_monitoring_alert_policy.this["errors"].conditions[0].condition_threshold[0].threshold_value == 0.05 && strcontains(google_monitoring_alert_policy.this["errors"].conditions[0].condition_threshold[0].denominator_filter, "envctl-payments-(auth|deployments|docs|environments|projects|simulation|tasks)")
    error_message = "Errors are a share of this team's requests."
  }
  assert {
    condition     = length(google_monitoring_notification_channel.email) == 0
    error_message = "Nobody is told unless somebody is named."
  }

  # The dashboard.
  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.this.dashboard_json).mosaicLayout.tiles) == 8 && jsondecode(google_monitoring_dashboard.this.dashboard_json).displayName == "envctl-payments"
    error_message = "The dashboard is JSON, and the team's."
  }
  assert {
    condition     = alltrue([for tile in jsondecode(google_monitoring_dashboard.this.dashboard_json).mosaicLayout.tiles : strcontains(jsonencode(tile), "envctl-payments")])
    error_message = "Every chart is of this team."
  }
}

run "an_alert_that_could_see_nothing_is_not_there" {
  command = plan
  variables {
    instance = { settings = { log_level = "WARNING" } }
  }
  assert {
    condition     = keys(google_monitoring_alert_policy.this) == ["errors", "late", "repaired"]
    error_message = "Where lines of INFO are not written, none are counted."
  }
}

run "what_is_asked_for" {
  command = plan
  variables {
    instance        = { uptime_check = true, budget = 20, notify = ["ops@example.com"], labels = { cost = "r-and-d" } }
    billing_account = "000000-000000-000000"
  }
  assert {
    condition     = google_monitoring_uptime_check_config.health[0].http_check[0].path == "/health"
    error_message = "The uptime check asks /health."
  }
  assert {
    condition     = google_monitoring_alert_policy.this["down"].conditions[0].condition_threshold[0].aggregations[0].cross_series_reducer == "REDUCE_COUNT_FALSE" && google_monitoring_alert_policy.this["down"].conditions[0].condition_threshold[0].threshold_value == 1
    error_message = "Two places that get no answer are an alert."
  }
  assert {
    condition     = google_billing_budget.this[0].budget_filter[0].labels == tomap({ envctl_team = "payments" }) && google_billing_budget.this[0].amount[0].specified_amount[0].units == "20"
    error_message = "The budget is the team's."
  }
  assert {
    condition     = [for rule in google_billing_budget.this[0].threshold_rules : rule.threshold_percent] == [0.5, 0.9, 1]
    error_message = "The budget tells before it is spent."
  }
  assert {
    condition     = google_monitoring_notification_channel.email["ops@example.com"].labels == tomap({ email_address = "ops@example.com" })
    error_message = "Whoever is named has a channel."
  }
  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.this : length(alert.notification_channels) == 1]) && length(google_billing_budget.this[0].all_updates_rule[0].monitoring_notification_channels) == 1
    error_message = "Whoever is named is told of every alert, and of the budget."
  }
  assert {
    condition     = google_cloudfunctions2_function.this["auth"].labels == tomap({ cost = "r-and-d", envctl_team = "payments" })
    error_message = "A team's own labels are added."
  }
}
