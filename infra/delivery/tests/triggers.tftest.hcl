# Nothing is applied that nobody has approved.

mock_provider "google" {}

variables {
  project      = "acme-platform"
  repository   = "projects/acme-platform/locations/europe-west1/connections/github/repositories/envctl"
  state_bucket = "acme-platform-state"
}

run "triggers" {
  command = plan

  assert {
    condition     = alltrue([for trigger in google_cloudbuild_trigger.this : trigger.approval_config[0].approval_required == (trigger.substitutions["_APPLY"] == "true")])
    error_message = "What applies waits for an approval."
  }
  assert {
    condition     = alltrue([for trigger in google_cloudbuild_trigger.this : trigger.repository_event_config[0].push[0].branch == "^main$"])
    error_message = "Only main is planned and applied."
  }
  assert {
    condition     = alltrue([for trigger in google_cloudbuild_trigger.this : trigger.filename == "cloudbuild.yaml"])
    error_message = "Both run the one file."
  }

  assert {
    condition     = alltrue([for key, grant in google_project_iam_member.this : contains(["roles/iam.securityReviewer", "roles/logging.logWriter", "roles/secretmanager.secretAccessor", "roles/viewer"], grant.role) if startswith(key, "plan:")])
    error_message = "Who plans changes nothing."
  }
  assert {
    condition     = [for grant in google_project_iam_member.this : grant.role if contains(["roles/owner", "roles/editor"], grant.role)] == ["roles/editor"]
    error_message = "Nobody owns the project, and who applies edits it."
  }
}
