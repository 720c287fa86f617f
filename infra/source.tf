# The functions' source and what is built from it: one for all teams, for it is the same for all.

locals {
  build_account = "projects/${var.project}/serviceAccounts/${local.build_email}"
  build_email   = "${google_service_account.build.account_id}@${google_service_account.build.project}.iam.gserviceaccount.com"
  repository    = "projects/${var.project}/locations/${var.region}/repositories/${google_artifact_registry_repository.images.repository_id}"
}

resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:what lies there is in the repository too, and only the build reads it
  #checkov:skip=CKV_GCP_78:an object's name has its content's digest, so none is ever overwritten
  project                     = var.project
  name                        = "${var.project}-${var.prefix}-source"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  depends_on                  = [google_project_service.this]
}

resource "google_storage_bucket_object" "bundle" {
  bucket         = google_storage_bucket.source.name
  name           = "envctl-${filesha256(var.bundle)}.zip"
  source         = var.bundle
  detect_md5hash = "" # the name says it
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [source] # the same bytes from elsewhere: made anew, its own name would be removed after that
  }
}

resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:encrypted with Google's keys; one of one's own has a price every month
  project       = var.project
  location      = var.region
  repository_id = "${var.prefix}-images"
  format        = "DOCKER"
  cleanup_policies {
    id     = "keep-the-last-two"
    action = "KEEP"
    most_recent_versions {
      keep_count = 2
    }
  }
  cleanup_policies {
    id     = "remove-what-is-older-than-a-week"
    action = "DELETE"
    condition {
      older_than = "604800s"
    }
  }
  depends_on = [google_project_service.this]
}

# Builds run as this account, not as the project's default one, which may edit everything.
resource "google_service_account" "build" {
  project      = var.project
  account_id   = "${var.prefix}-build"
  display_name = "envctl: builds the functions"
}

resource "google_project_iam_member" "build" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = "serviceAccount:${local.build_email}"
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.writer"
  member     = "serviceAccount:${local.build_email}"
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${local.build_email}"
}
