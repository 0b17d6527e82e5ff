# The Worker example as `workerd serve` takes it. Port and secrets come from the command line and the environment.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "app", worker = .app),
    # The stand-in is on a loopback address, which the usual `internet` service refuses.
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "app")],
);

const app :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "bundle.js")],
  compatibilityDate = "2026-07-01",
  bindings = [
    (name = "CLASSLINK_ISSUER", fromEnvironment = "CLASSLINK_ISSUER"),
    (name = "CLASSLINK_CLIENT_ID", fromEnvironment = "CLASSLINK_CLIENT_ID"),
    (name = "CLASSLINK_CLIENT_SECRET", fromEnvironment = "CLASSLINK_CLIENT_SECRET"),
    (name = "APP_ORIGIN", fromEnvironment = "APP_ORIGIN"),
    (name = "SEALING_KEYS", fromEnvironment = "SEALING_KEYS"),
  ],
);
