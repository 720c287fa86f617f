# What the validations below look at. They need nothing but this file: so each bound is tried without a plan.
locals {
  known_settings  = jsondecode(file("${path.module}/../../settings.json"))
  concurrency     = 8 # requests at once in an instance, a thread for each
  gateway_regions = ["asia-northeast1", "australia-southeast1", "europe-west1", "europe-west2", "us-central1", "us-east1", "us-east4", "us-west2", "us-west3", "us-west4"]
}

variable "project" {
  description = "The Google Cloud project: its id, and its number, which is in the functions' addresses."
  type        = object({ id = string, number = string })
}

variable "prefix" {
  description = "What every name begins with."
  type        = string
}

variable "team" {
  description = "The team's name. It is part of every name, and of its accounts' names, which have at most 30 characters."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.team)) && length(var.team) <= 16
    error_message = "A team's name has at most 16 characters: words of a-z and 0-9 with a - in between, the first with a letter at its start."
  }
}

variable "instance" {
  description = "What may differ between teams. Nothing of it needs to be given."
  type = object({
    region         = optional(string, "europe-west1") # of everything but the gateway
    gateway_region = optional(string)                 # of the gateway, which is in fewer regions; null: the same
    labels         = optional(map(string), {})
    settings       = optional(map(string), {})         # by name, as in ../../settings.json; what is left out has its default there
    signing_keys   = optional(list(string), ["first"]) # names of keys: the first one signs, a second one verifies only
    queue_suffix   = optional(string, "")              # another one makes another queue: a deleted one's name is blocked for 7 days
    disposable     = optional(bool, false)             # nothing of it is protected, backed up or kept; needed before a team is removed
    backup_days    = optional(number, 7)
    domain         = optional(string)           # a domain of one's own, by a load balancer, which has a fixed price
    notify         = optional(list(string), []) # e-mail addresses that alerts go to
    uptime_check   = optional(bool, false)      # asks /health every 15 minutes, so the docs function does not idle
    budget         = optional(number)           # a month's, in the billing account's currency; an alert, not a limit
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.instance.region))
    error_message = "region must be a region, as europe-west1 is: not a zone, not a multi-region."
  }
  validation {
    condition     = contains(local.gateway_regions, var.instance.gateway_region == null ? var.instance.region : var.instance.gateway_region)
    error_message = "API Gateway is not in that region. It is in: ${join(", ", local.gateway_regions)}. Set gateway_region to the nearest one."
  }
  validation {
    condition = alltrue([
      for key, value in var.instance.labels :
      can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value)) && key != "envctl_team"
    ])
    error_message = "Labels are lower case: keys of 1 to 63, values of up to 63 letters, digits, _ and -. envctl_team is set already."
  }
  validation {
    condition     = length(setsubtract(keys(var.instance.settings), keys(local.known_settings))) == 0
    error_message = "No setting is named ${join(", ", setsubtract(keys(var.instance.settings), keys(local.known_settings)))}. There are: ${join(", ", keys(local.known_settings))}."
  }
  validation {
    condition = alltrue([
      for name, bound in local.known_settings :
      bound.type == "integer" ? can(regex("^[0-9]+$", var.instance.settings[name])) : can(tonumber(var.instance.settings[name]))
      if contains(["integer", "number"], bound.type) && contains(keys(var.instance.settings), name)
    ])
    error_message = "A setting that is a number there must be one: ${jsonencode(var.instance.settings)}."
  }
  validation {
    condition = alltrue([
      for name, bound in local.known_settings : contains(["true", "false"], var.instance.settings[name])
      if bound.type == "boolean" && contains(keys(var.instance.settings), name)
    ])
    error_message = "A setting that is true or false there must be one of the two: ${jsonencode(var.instance.settings)}."
  }
  validation {
    condition = alltrue([
      for name, bound in local.known_settings :
      can(tonumber(var.instance.settings[name])) ? (
        tonumber(var.instance.settings[name]) > lookup(bound, "exclusiveMinimum", -1)
        && tonumber(var.instance.settings[name]) >= lookup(bound, "minimum", 0)
      ) : true
      if contains(["integer", "number"], bound.type) && contains(keys(var.instance.settings), name)
    ])
    error_message = "A setting is below its least: ${jsonencode({ for name in keys(var.instance.settings) : name => lookup(local.known_settings, name, null) })}."
  }
  validation {
    condition = alltrue([
      for name, bound in local.known_settings :
      can(tonumber(var.instance.settings[name])) ? tonumber(var.instance.settings[name]) <= bound.maximum : true
      if contains(["integer", "number"], bound.type) && contains(keys(var.instance.settings), name)
    ])
    error_message = "A setting is above its most: ${jsonencode({ for name in keys(var.instance.settings) : name => lookup(local.known_settings, name, null) })}."
  }
  validation {
    condition = alltrue([
      for name, bound in local.known_settings :
      length(var.instance.settings[name]) <= lookup(bound, "maxLength", 1000)
      && can(regex(lookup(bound, "pattern", ""), var.instance.settings[name]))
      && contains(lookup(bound, "enum", [var.instance.settings[name]]), var.instance.settings[name])
      if bound.type == "string" && contains(keys(var.instance.settings), name)
    ])
    error_message = "A setting is not of the form that it must have: ${jsonencode({ for name in keys(var.instance.settings) : name => lookup(local.known_settings, name, null) })}."
  }
  validation {
    condition = (
      can(tonumber(lookup(var.instance.settings, "default_ttl_hours", "0"))) && can(tonumber(lookup(var.instance.settings, "maximum_ttl_hours", "0")))
      ? tonumber(lookup(var.instance.settings, "default_ttl_hours", local.known_settings.default_ttl_hours.default))
      <= tonumber(lookup(var.instance.settings, "maximum_ttl_hours", local.known_settings.maximum_ttl_hours.default))
      : true
    )
    error_message = "default_ttl_hours must not be above maximum_ttl_hours; they are ${local.known_settings.default_ttl_hours.default} and ${local.known_settings.maximum_ttl_hours.default} hours where nothing is set."
  }
  validation {
    condition = alltrue([
      for name, most in { held_requests = local.concurrency / 2, logins_at_once = local.concurrency * 3 / 4 } :
      can(tonumber(var.instance.settings[name])) ? tonumber(var.instance.settings[name]) <= most : true
    ])
    error_message = "Of the ${local.concurrency} requests that a function handles at once, held_requests is at most half and logins_at_once three quarters: others must get through."
  }
  validation {
    condition = (
      contains([1, 2], length(var.instance.signing_keys))
      && length(distinct(var.instance.signing_keys)) == length(var.instance.signing_keys)
      && alltrue([for name in var.instance.signing_keys : can(regex("^[a-z0-9-]{1,30}$", name))])
    )
    error_message = "signing_keys are one or two different names of a-z, 0-9 and -: the key that signs, and one that verifies only."
  }
  validation {
    condition     = can(regex("^(-[1-9][0-9]{0,5})?$", var.instance.queue_suffix))
    error_message = "queue_suffix is empty or a number after a -, as -2 is."
  }
  validation {
    condition     = contains(range(1, 99), var.instance.backup_days)
    error_message = "backup_days is 1 to 98: a daily backup is kept for at most 14 weeks."
  }
  validation {
    condition     = var.instance.domain == null ? true : can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]{2,63}$", var.instance.domain))
    error_message = "domain must be a full domain name in lower case, as api.example.com is."
  }
  validation {
    condition     = alltrue([for address in var.instance.notify : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "notify are e-mail addresses."
  }
  validation {
    condition     = var.instance.budget == null ? true : var.instance.budget >= 1 && floor(var.instance.budget) == var.instance.budget
    error_message = "budget is a whole amount from 1 on."
  }
}

variable "functions" {
  description = "The function map: what each function is, may and needs. Its keys are the folders under functions/."
  type = map(object({
    account         = string       # the last part of its service account's name
    runtime         = string       # the newest Python that the tests cover
    memory          = string       # of an instance
    cpu             = string       # of an instance; below 1 there is no concurrency
    concurrency     = number       # requests at once in an instance, and threads
    timeout_seconds = number       # below the queue's dispatch deadline
    min             = number       # instances that idle, and cost
    max             = number       # instances at most
    routes          = list(string) # prefixes of its paths
    invoked_by      = list(string) # gateway, queue, sweep
    database_role   = string       # on the team's database, no other
    secrets         = list(string) # signing, identity
    enqueues        = bool         # whether it may create tasks
  }))
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.functions) : can(regex("^[a-z][a-z0-9]{1,15}$", name))])
    error_message = "A function's name has 2 to 16 characters of a-z and 0-9: it is a folder under functions/ and part of names in the cloud."
  }
  validation {
    condition = (
      alltrue([for function in var.functions : can(regex("^[a-z]{2,6}$", function.account))])
      && length(distinct([for function in var.functions : function.account])) == length(var.functions)
      && length(setintersection(["queue", "sweep", "gate"], [for function in var.functions : function.account])) == 0
    )
    error_message = "account is 2 to 6 letters, another for every function, and none of queue, sweep and gate."
  }
  validation {
    condition     = alltrue([for function in var.functions : function.cpu == "1" && function.concurrency == local.concurrency])
    error_message = "Every function has one CPU and ${local.concurrency} requests at once: below one CPU there is no concurrency."
  }
  validation {
    condition     = alltrue([for function in var.functions : function.timeout_seconds == 25])
    error_message = "Every function's timeout is 25 s, below the dispatch deadline of tasks, 30 s."
  }
  validation {
    condition     = alltrue([for function in var.functions : function.min == 0 && contains(range(1, 101), function.max)])
    error_message = "No function has instances that idle (min is 0), and each has at most 1 to 100."
  }
  validation {
    condition     = alltrue([for function in var.functions : contains(["roles/datastore.user", "roles/datastore.viewer"], function.database_role)])
    error_message = "database_role is roles/datastore.user or roles/datastore.viewer."
  }
  validation {
    condition     = alltrue([for function in var.functions : length(setsubtract(function.secrets, ["signing", "identity"])) == 0])
    error_message = "secrets are signing and identity."
  }
  validation {
    condition = alltrue([
      for function in var.functions :
      contains(["gateway", "queue sweep"], join(" ", sort(function.invoked_by)))
    ])
    error_message = "A function is invoked by the gateway alone, or by queue and sweep: nobody from outside calls what the platform calls."
  }
  validation {
    condition     = length([for function in var.functions : function if contains(function.invoked_by, "queue")]) == 1
    error_message = "Exactly one function is invoked by the queue: its address is where every task goes."
  }
}

variable "indexes" {
  description = "The database's indexes, in the format of firestore.indexes.json."
  type = object({
    indexes = list(object({
      collectionGroup = string
      queryScope      = string
      fields          = list(object({ fieldPath = string, order = optional(string), arrayConfig = optional(string) }))
    }))
    fieldOverrides = list(object({
      collectionGroup = string
      fieldPath       = string
      ttl             = optional(bool, false)
      indexes         = list(object({ queryScope = string, order = optional(string), arrayConfig = optional(string) }))
    }))
  })
}

variable "bundle" {
  description = "Where the functions' source lies."
  type        = object({ bucket = string, object = string })
}

variable "build" {
  description = "What the functions are built as, and where their images go."
  type        = object({ account = string, repository = string })
}

variable "billing_account" {
  description = "The billing account that a budget is set on."
  type        = string
  default     = null
}
