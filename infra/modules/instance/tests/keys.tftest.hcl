# Keys: apart from each other, and two signing keys valid at once while they rotate (docs/runbook.md).

mock_provider "google" {}
mock_provider "google-beta" {}
mock_provider "random" {}

variables {
  project   = { id = "acme-platform", number = "123456789012" }
  prefix    = "envctl"
  team      = "payments"
  instance  = {}
  functions = jsondecode(file("../../functions.json"))
  indexes   = jsondecode(file("../../../shared/indexes.json"))
  bundle    = { bucket = "source", object = "envctl-0.zip" }
  build     = { account = "projects/acme-platform/serviceAccounts/build@acme-platform.iam.gserviceaccount.com", repository = "projects/acme-platform/locations/europe-west1/repositories/images" }
}

run "one_key" {
  command = plan

  override_resource {
    target          = google_secret_manager_secret_version.signing["first"]
    override_during = plan
    values          = { version = "1" }
  }

  override_resource {
    target          = google_secret_manager_secret_version.identity
    override_during = plan
    values          = { version = "7" }
  }
  assert {
    condition     = [for variable in google_cloudfunctions2_function.this["auth"].service_config[0].secret_environment_variables : "${variable.key}=${variable.secret}:${variable.version}"] == ["ENVCTL_SIGNING_KEY=envctl-payments-signing:1", "ENVCTL_IDENTITY_KEY=envctl-payments-identity:7"]
    error_message = "A function has the signing key and the identity key, each from its secret."
  }
  assert {
    condition     = random_bytes.identity.length == 32 && alltrue([for key in random_bytes.signing : key.length == 32])
    error_message = "A key has 32 bytes."
  }
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : alltrue([for variable in function.service_config[0].secret_environment_variables : variable.version != "latest"])])
    error_message = "Versions are named: which key is valid is a matter of the plan."
  }
  assert {
    condition     = { for name, function in google_cloudfunctions2_function.this : name => join(" ", [for variable in function.service_config[0].secret_environment_variables : variable.secret]) } == { for name, function in var.functions : name => join(" ", formatlist("envctl-payments-%s", function.secrets)) }
    error_message = "A function has the keys that the function map says, and no other."
  }
  assert {
    condition     = length(google_cloudfunctions2_function.this["tasks"].service_config[0].secret_environment_variables) == 0
    error_message = "Callbacks need no key."
  }
}

run "the_next_key_verifies_first" {
  command = plan
  variables {
    instance = { signing_keys = ["first", "second"] }
  }

  override_resource {
    target          = google_secret_manager_secret_version.signing["first"]
    override_during = plan
    values          = { version = "1" }
  }

  override_resource {
    target          = google_secret_manager_secret_version.signing["second"]
    override_during = plan
    values          = { version = "2" }
  }

  override_resource {
    target          = google_secret_manager_secret_version.identity
    override_during = plan
    values          = { version = "7" }
  }
  assert {
    condition     = [for variable in google_cloudfunctions2_function.this["auth"].service_config[0].secret_environment_variables : "${variable.key}=${variable.secret}:${variable.version}"] == ["ENVCTL_SIGNING_KEY=envctl-payments-signing:1", "ENVCTL_PREVIOUS_SIGNING_KEY=envctl-payments-signing:2", "ENVCTL_IDENTITY_KEY=envctl-payments-identity:7"]
    error_message = "The next key verifies before it signs."
  }
}

run "then_it_signs" {
  command = plan
  variables {
    instance = { signing_keys = ["second", "first"] }
  }

  override_resource {
    target          = google_secret_manager_secret_version.signing["first"]
    override_during = plan
    values          = { version = "1" }
  }

  override_resource {
    target          = google_secret_manager_secret_version.signing["second"]
    override_during = plan
    values          = { version = "2" }
  }

  override_resource {
    target          = google_secret_manager_secret_version.identity
    override_during = plan
    values          = { version = "7" }
  }
  assert {
    condition     = [for variable in google_cloudfunctions2_function.this["auth"].service_config[0].secret_environment_variables : "${variable.key}=${variable.secret}:${variable.version}"] == ["ENVCTL_SIGNING_KEY=envctl-payments-signing:2", "ENVCTL_PREVIOUS_SIGNING_KEY=envctl-payments-signing:1", "ENVCTL_IDENTITY_KEY=envctl-payments-identity:7"]
    error_message = "The next key signs, the former one still verifies."
  }
}
