locals {
  functions = jsondecode(file("${path.module}/functions.json"))
  indexes   = jsondecode(file("${path.module}/../shared/indexes.json"))
}

data "google_project" "this" {
  project_id = var.project
}

module "instance" {
  source   = "./modules/instance"
  for_each = var.teams

  project         = { id = var.project, number = data.google_project.this.number }
  prefix          = var.prefix
  team            = each.key
  instance        = each.value
  functions       = local.functions
  indexes         = local.indexes
  bundle          = { bucket = google_storage_bucket.source.name, object = google_storage_bucket_object.bundle.name }
  build           = { account = local.build_account, repository = local.repository }
  billing_account = var.billing_account

  depends_on = [
    google_project_service.this,
    google_project_iam_member.build,
    google_artifact_registry_repository_iam_member.build,
    google_storage_bucket_iam_member.build,
  ]
}
