# A team that is there already, and what is delivered to it next. tests/infra/terraform reads these plans.

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
  teams   = { payments = { disposable = true } }
}

run "applied" {
  command = apply
}

run "unchanged" {
  command = plan
}

run "the_same_bytes_elsewhere" {
  command = plan
  variables {
    bundle = "./tests/../tests/bundle.txt"
  }
}

run "another_bundle" {
  command = plan
  variables {
    bundle = "tests/another_bundle.txt"
  }
}

run "another_setting" {
  command = plan
  variables {
    teams = { payments = { disposable = true, settings = { speed = 10 } } }
  }
}

run "another_team" {
  command = plan
  variables {
    teams = { payments = { disposable = true }, web-shop = {} }
  }
}

run "another_key" {
  command = plan
  variables {
    teams = { payments = { disposable = true, signing_keys = ["second", "first"] } }
  }
}
