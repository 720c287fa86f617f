terraform {
  required_version = ">= 1.11"
  required_providers {
    google      = { source = "hashicorp/google", version = "~> 6.50" }
    google-beta = { source = "hashicorp/google-beta", version = "~> 6.50" } # API Gateway is only there
    random      = { source = "hashicorp/random", version = "~> 3.7" }
  }
  # Bucket and prefix come with `terraform init -backend-config=…`. The state holds the teams' keys:
  # whoever reads it can sign tokens. Versioned, and readable by the delivery's account only.
  backend "gcs" {}
}

provider "google" {
  project               = var.project
  billing_project       = var.project
  user_project_override = true
}

provider "google-beta" {
  project               = var.project
  billing_project       = var.project
  user_project_override = true
}
