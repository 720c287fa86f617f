# What the root module itself refuses.

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
  teams   = {}
}

run "no_team_is_no_fault" {
  command = plan
}

run "a_long_prefix_is_refused" {
  command = plan
  variables {
    prefix = "platform"
  }
  expect_failures = [var.prefix]
}

run "a_project_that_can_not_be_is_refused" {
  command = plan
  variables {
    project = "Acme"
  }
  expect_failures = [var.project]
}

run "a_budget_without_an_account_is_refused" {
  command = plan
  variables {
    teams = { payments = { budget = 20 } }
  }
  expect_failures = [var.billing_account]
}
