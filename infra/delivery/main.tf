# What runs cloudbuild.yaml: a push to main is tested and planned, and applied once somebody has approved it.
# Applied by hand, once, by whoever owns the project. Other branches run nothing here: whoever plans reads
# the state, and with it the keys.

terraform {
  required_version = ">= 1.11"
  required_providers {
    google = { source = "hashicorp/google", version = "~> 6.50" }
  }
  backend "gcs" {}
}

provider "google" {
  project = var.project
}

variable "project" {
  description = "The Google Cloud project."
  type        = string
}

variable "region" {
  description = "Where builds run."
  type        = string
  default     = "europe-west1"
}

variable "repository" {
  description = "The connected repository: projects/…/locations/…/connections/…/repositories/…"
  type        = string
  validation {
    condition     = can(regex("^projects/[^/]+/locations/[^/]+/connections/[^/]+/repositories/[^/]+$", var.repository))
    error_message = "The full name of a repository that Cloud Build is connected to."
  }
}

variable "state_bucket" {
  description = "The bucket that holds the state."
  type        = string
}

locals {
  triggers = {
    plan  = { apply = "false", account = google_service_account.this["plan"].id }
    apply = { apply = "true", account = google_service_account.this["apply"].id }
  }
  roles = {
    plan = [
      "roles/iam.securityReviewer",
      "roles/logging.logWriter",
      "roles/secretmanager.secretAccessor",
      "roles/viewer",
    ]
    apply = [
      "roles/artifactregistry.admin",
      "roles/cloudtasks.admin",
      "roles/editor",
      "roles/iam.serviceAccountAdmin",
      "roles/resourcemanager.projectIamAdmin",
      "roles/run.admin",
      "roles/secretmanager.admin",
      "roles/storage.admin",
    ]
  }
}

resource "google_service_account" "this" {
  for_each     = local.roles
  project      = var.project
  account_id   = "envctl-${each.key}"
  display_name = "envctl: ${each.key}"
}

resource "google_project_iam_member" "this" {
  for_each = merge([for name, roles in local.roles : { for role in roles : "${name}:${role}" => { name = name, role = role } }]...)
  project  = var.project
  role     = each.value.role
  member   = "serviceAccount:${google_service_account.this[each.value.name].account_id}@${google_service_account.this[each.value.name].project}.iam.gserviceaccount.com"
}

resource "google_storage_bucket_iam_member" "state" {
  for_each = local.roles
  bucket   = var.state_bucket
  role     = "roles/storage.objectUser" # a plan takes the lock too
  member   = "serviceAccount:${google_service_account.this[each.key].account_id}@${google_service_account.this[each.key].project}.iam.gserviceaccount.com"
}

resource "google_cloudbuild_trigger" "this" {
  for_each        = local.triggers
  project         = var.project
  location        = var.region
  name            = "envctl-${each.key}"
  filename        = "cloudbuild.yaml"
  service_account = each.value.account
  substitutions   = { _APPLY = each.value.apply, _STATE = var.state_bucket }
  repository_event_config {
    repository = var.repository
    push {
      branch = "^main$"
    }
  }
  approval_config {
    approval_required = each.key == "apply"
  }
}
