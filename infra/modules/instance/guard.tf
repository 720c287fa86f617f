# A team that is taken out of the map by mistake must not lose a thing. What depends on the most is
# destroyed first; this depends on everything, and refuses unless the team was made disposable before.

resource "terraform_data" "guard" {
  input = { name = local.name, disposable = var.instance.disposable }

  provisioner "local-exec" {
    when    = destroy
    command = self.output.disposable ? "true" : "echo '${self.output.name} is not disposable: set disposable = true and apply before you remove it' >&2; exit 1"
  }

  depends_on = [
    google_api_gateway_gateway.this,
    google_cloud_scheduler_job.sweep,
    google_firestore_backup_schedule.daily,
    google_secret_manager_secret_version.identity,
  ]
}
