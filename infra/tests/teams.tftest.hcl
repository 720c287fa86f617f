mock_provider "google" {
  override_during = plan
}
mock_provider "google-beta" {
  override_during = plan
}
mock_provider "random" {
  override_during = plan
}

override_data {
  target = data.google_project.this
  values = { number = "123456789012" }
}

variables {
  project = "acme-platform"
  bundle  = "tests/bundle.txt"
  teams   = { payments = {}, search = {}, "web-shop" = {} }
}

run "plan" {
  command = plan
}
