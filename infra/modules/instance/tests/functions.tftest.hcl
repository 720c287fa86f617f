# What a function is.

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

run "as_the_map_says" {
  command = plan
  assert {
    condition = alltrue([for name, function in google_cloudfunctions2_function.this : (
      function.service_config[0].available_memory == var.functions[name].memory
      && function.service_config[0].available_cpu == "1"
      && function.service_config[0].max_instance_request_concurrency == 8
      && function.service_config[0].timeout_seconds == 25
      && function.service_config[0].min_instance_count == 0
      && function.service_config[0].max_instance_count == var.functions[name].max
      && function.service_config[0].environment_variables.THREADS == tostring(var.functions[name].concurrency)
    )])
    error_message = "Memory, CPU, concurrency, threads, timeout and instances are the map's."
  }
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.service_config[0].all_traffic_on_latest_revision])
    error_message = "What is deployed serves."
  }
  assert {
    condition     = alltrue([for name, function in google_cloudfunctions2_function.this : function.build_config[0].entry_point == name && function.build_config[0].runtime == var.functions[name].runtime])
    error_message = "A function is the folder of its name."
  }
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.build_config[0].source[0].storage_source[0].object == "envctl-0.zip" && endswith(function.build_config[0].service_account, "build@acme-platform.iam.gserviceaccount.com")])
    error_message = "All are built from the one bundle, as the build's account."
  }
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.labels == tomap({ envctl_team = "payments" })])
    error_message = "What a team costs can be told by its label."
  }
}
