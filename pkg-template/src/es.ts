/**
 * Texts in Spanish: every error's `userMessage`, and what the components for React and Vue say.
 *
 * ```ts
 * import { messages } from "classlink-spa/es";
 *
 * export const client = createClient({ …, messages });
 * ```
 *
 * @packageDocumentation
 */

import type { Texts } from "./frameworks/texts.js";
import type { ClassLinkErrorCode } from "./types.js";

// What several codes ask of the user.
const SETUP =
  "Esta aplicación no está bien configurada. Avísale a tu maestra o maestro o a soporte técnico.";
const AGAIN =
  "No se pudo iniciar tu sesión. Inténtalo de nuevo. Si vuelve a pasar, avísale a tu maestra o maestro.";
const LATER = "No funcionó en este momento. Espera un poco e inténtalo de nuevo.";
const RELOAD =
  "Esta aplicación dejó de funcionar. Recarga la página. Si no se arregla, avísale a tu maestra o maestro.";
const OPEN = "Abre la aplicación otra vez e inicia sesión desde ahí.";
const ALLOW =
  "Para entrar, tienes que dar permiso en la página de ClassLink. Inicia sesión otra vez y elige permitir.";
const SIGN_IN = "Inicia sesión, por favor.";

/** The Spanish `userMessage` of every code: to be passed as `messages`. */
export const messages: Readonly<Record<ClassLinkErrorCode, string>> = {
  config_invalid: SETUP,
  discovery_invalid: SETUP,
  invalid_redirect_uri: SETUP,
  invalid_request: SETUP,
  invalid_scope: SETUP,
  origin_not_allowed: SETUP,
  unauthorized_client: SETUP,
  unsupported_response_type: SETUP,

  account_selection_required: AGAIN,
  callback_malformed: AGAIN,
  interaction_required: AGAIN,
  issuer_mismatch: AGAIN,
  provider_error: AGAIN,
  state_unknown: AGAIN,
  token_rejected: AGAIN,
  user_mismatch: AGAIN,
  userinfo_rejected: AGAIN,

  gateway_error: LATER,
  keys_unavailable: LATER,
  provider_response_invalid: LATER,
  renewal_unavailable: LATER,
  server_error: LATER,
  temporarily_unavailable: LATER,
  timeout: LATER,

  client_closed: RELOAD,
  internal: RELOAD,
  wasm_unavailable: RELOAD,

  launch_loop: OPEN,
  launch_rejected: OPEN,
  not_a_callback: OPEN,

  access_denied: ALLOW,
  consent_required: ALLOW,

  login_required: SIGN_IN,
  not_signed_in: SIGN_IN,
  session_expired: "Se acabó tu tiempo y tu sesión se cerró. Inicia sesión otra vez.",

  environment_unsupported:
    "No puedes iniciar sesión en este navegador. Prueba con otro, o pide ayuda para actualizarlo.",
  storage_unavailable:
    "Este navegador no puede recordar que estás iniciando sesión. Prueba con una ventana que no sea privada, o pide ayuda a tu maestra o maestro.",
  popup_blocked:
    "El navegador no dejó abrir la ventana para iniciar sesión. Permite las ventanas emergentes e inténtalo de nuevo.",
  popup_closed: "La ventana para iniciar sesión se cerró antes de tiempo. Inténtalo de nuevo.",
  network: "No pudimos conectarnos. Revisa tu internet e inténtalo de nuevo.",
  id_token_invalid:
    "No pudimos comprobar que eres tú. Revisa la fecha y la hora de este dispositivo e inicia sesión otra vez.",
  tenant_not_allowed:
    "Tu escuela no usa esta aplicación, o todavía no. Pregúntale a tu maestra o maestro.",
};

/** Texts of the components of `classlink-spa/react` and `classlink-spa/vue`: to be passed as `texts`. */
export const texts: Texts = {
  loading: "Un momento…",
  redirecting: "Te llevamos a ClassLink…",
  signingIn: "Iniciando tu sesión…",
  signedOut: "Inicia sesión para ver esta página.",
  signIn: "Iniciar sesión",
  signOut: "Cerrar sesión",
  errorTitle: "No funcionó",
  expiredTitle: "Tu sesión se cerró",
  tryAgain: "Intentar de nuevo",
  signInAgain: "Iniciar sesión otra vez",
  goOn: "Continuar",
  home: "Ir a la página de inicio",
  supportCode: "Si necesitas ayuda, dile este código a tu maestra o maestro o a soporte técnico:",
  expiringTitle: "¿Sigues ahí?",
  expiringText: "Tu sesión se cerrará pronto para que nadie más use tu cuenta en este dispositivo.",
  secondsLeft: (seconds) => (seconds === 1 ? "Queda 1 segundo" : `Quedan ${seconds} segundos`),
  stayActive: "Sigo aquí",
};

export default messages;
