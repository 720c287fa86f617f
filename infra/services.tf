# The APIs that the instances need. They stay on when this is destroyed: others may use them.

locals {
  # Compute Engine makes a network and an account of its own when it is turned on: only for load balancers.
  compute = anytrue([for team in var.teams : team.domain != null]) ? ["compute.googleapis.com"] : []
}

resource "google_project_service" "this" {
  for_each = toset(concat(local.compute, [
    "apigateway.googleapis.com",
    "artifactregistry.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "cloudtasks.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "servicecontrol.googleapis.com",
    "servicemanagement.googleapis.com",
    "storage.googleapis.com",
  ]))
  project            = var.project
  service            = each.key
  disable_on_destroy = false
}
