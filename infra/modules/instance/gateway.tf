# One base URL for all functions, which costs per call and nothing while idle. The gateway is all that
# anybody can reach. It calls the functions with a token of its own account in Authorization, and hands
# the caller's on in X-Forwarded-Authorization (shared/http/authentication.py).

locals {
  gateway_email = "${google_service_account.gateway.account_id}@${google_service_account.gateway.project}.iam.gserviceaccount.com"
  gateway_document = templatefile("${path.module}/../../gateway.json.tftpl", {
    title = local.name
    urls  = local.urls
  })
  base_url = var.instance.domain == null ? "https://${google_api_gateway_gateway.this.default_hostname}" : "https://${var.instance.domain}"
}

resource "google_service_account" "gateway" {
  project      = local.project
  account_id   = "${local.name}-gate"
  display_name = "envctl ${var.team}: gateway"
}

resource "google_api_gateway_api" "this" {
  provider = google-beta
  project  = local.project
  api_id   = local.name
  labels   = local.labels
}

# A configuration does not change, another one takes its place: so its name has its content's digest.
resource "google_api_gateway_api_config" "this" {
  provider      = google-beta
  project       = local.project
  api           = google_api_gateway_api.this.api_id
  api_config_id = "${local.name}-${substr(sha256("${local.gateway_document}${local.gateway_email}"), 0, 12)}"
  labels        = local.labels
  openapi_documents {
    document {
      path     = "gateway.json"
      contents = base64encode(local.gateway_document)
    }
  }
  gateway_config {
    backend_config {
      google_service_account = local.gateway_email
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_api_gateway_gateway" "this" {
  provider   = google-beta
  project    = local.project
  region     = local.gateway_region
  gateway_id = local.name
  api_config = google_api_gateway_api_config.this.id
  labels     = local.labels
  depends_on = [google_cloud_run_v2_service_iam_member.invoker]
}
