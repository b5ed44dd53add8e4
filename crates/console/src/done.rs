//! What has just been done, in a sentence. A redirect names it by a word in the address; any other word
//! says nothing.

/// The sentence of a word.
pub fn sentence(word: &str) -> Option<&'static str> {
    Some(match word {
        "system-user" => "The system user is created. Assign assets to it, then generate a token.",
        "assigned" => "The changes are saved. They apply to every live token at once.",
        "terms" => "The terms are accepted.",
        "activated" => "It works again. Its tokens and assignments are as they were.",
        "deactivated" => "It is deactivated. Every call with its tokens is refused from now on.",
        "renamed" => "The name is changed.",
        "session-ended" => "The session is ended.",
        "sessions-ended" => "The other sessions are ended.",
        "made-admin" => "The person is an admin now.",
        "made-employee" => "The person is an employee now.",
        "person-activated" => "The person can sign in again.",
        "person-deactivated" => "The person is deactivated. Sessions and tokens stop at once.",
        "person-removed" => "The person is removed. Sessions and tokens are dead.",
        "shared" => "The shares are saved. They apply at once.",
        "share-ended" => "The share is ended. The partner reaches it no more.",
        "share-returned" => "The share is given back. Nobody here reaches it any more.",
        "business-saved" => "The settings are saved.",
        "asset" => "It is created. Assign it to whoever may act on it.",
        "asset-deleted" => "It is deleted. Nobody reaches it any more.",
        "app-connected" => "The app is connected.",
        "app-disconnected" => "The app is disconnected. Its tokens are dead.",
        "app-deleted" => "The app is deleted. Its tokens are dead.",
        "app-scopes" => "The scopes are saved. They cap every token of the app at once.",
        "proof-on" => "Every call with a token of the app must bring a proof now.",
        "proof-off" => "Calls with tokens of the app need no proof any more.",
        "revoked" => "The token is revoked. No server accepts it any more.",
        "deleted" => "It is deleted. Its tokens are dead everywhere.",
        "token-shown" => "The token was shown once. It can't be shown again; generate another if it is lost.",
        _ => return None,
    })
}
