# A team that is taken out of the map by mistake must not lose a thing. What nothing depends on is
# destroyed first: that is this alone, and it refuses unless the team was made disposable before.

resource "terraform_data" "guard" {
  input = { name = local.name, disposable = var.instance.disposable }

  provisioner "local-exec" {
    when    = destroy
    command = self.output.disposable ? "true" : "echo '${self.output.name} is not disposable: set disposable = true and apply before you remove it' >&2; exit 1"
  }

  depends_on = [
    google_api_gateway_gateway.this,
    google_billing_budget.this,
    google_cloud_scheduler_job.sweep,
    google_compute_global_forwarding_rule.this,
    google_firestore_backup_schedule.daily,
    google_monitoring_alert_policy.this,
    google_monitoring_dashboard.this,
    google_monitoring_uptime_check_config.health,
  ]
}
