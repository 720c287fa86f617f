variable "project" {
  description = "The Google Cloud project that the instances live in."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "A project's id has 6 to 30 characters of a-z, 0-9 and -, and starts with a letter."
  }
}

variable "prefix" {
  description = "What every name begins with. With team and part it makes names that have a length of their own, so it is short."
  type        = string
  default     = "envctl"
  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,5}$", var.prefix))
    error_message = "A prefix has 2 to 6 characters of a-z and 0-9, and starts with a letter."
  }
}

variable "bundle" {
  description = "The functions' source, as `make bundle` makes it. Its digest is in its name there: what has not changed is not deployed anew."
  type        = string
  default     = "../build/envctl.zip"
}

variable "region" {
  description = "Where the source and the built images lie."
  type        = string
  default     = "europe-west1"
}

variable "billing_account" {
  description = "The billing account that budgets are set on; needed as soon as a team has a budget."
  type        = string
  default     = null
  validation {
    condition     = var.billing_account != null || alltrue([for team in var.teams : team.budget == null])
    error_message = "A team has a budget: billing_account is needed."
  }
}

variable "teams" {
  description = "The instances, by the team's name. What each attribute means, its default and its bounds stand in modules/instance/variables.tf."
  type = map(object({
    region         = optional(string)
    gateway_region = optional(string)
    labels         = optional(map(string))
    settings       = optional(map(string))
    signing_keys   = optional(list(string))
    queue_suffix   = optional(string)
    disposable     = optional(bool)
    backup_days    = optional(number)
    domain         = optional(string)
    notify         = optional(list(string))
    uptime_check   = optional(bool)
    budget         = optional(number)
  }))
  nullable = false
}
