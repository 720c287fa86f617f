# Three teams, one of whose names begins as another's does. tests/infra/terraform reads this plan.

mock_provider "google" {}
mock_provider "google-beta" {}
mock_provider "random" {}

override_data {
  target = data.google_project.this
  values = { number = "123456789012" }
}

variables {
  project = "acme-platform"
  bundle  = "tests/bundle.txt"
  teams   = { payments = {}, pay = {}, "web-shop" = { settings = { log_level = "WARNING", grace_seconds = 60 } } }
}

run "plan" {
  command = plan

  assert {
    condition     = google_storage_bucket_object.bundle.name == "envctl-${filesha256("tests/bundle.txt")}.zip"
    error_message = "The source's name follows from its bytes: what has not changed is not deployed anew."
  }
  assert {
    condition     = google_storage_bucket.source.public_access_prevention == "enforced"
    error_message = "The source is not public."
  }
  assert {
    condition     = toset(keys(output.urls)) == toset(["payments", "pay", "web-shop"])
    error_message = "Every team has a base URL."
  }
}
