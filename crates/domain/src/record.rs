//! Records: every noun of the authority class, as one sum.

use serde::{Deserialize, Serialize};

use crate::noun::Noun;
use crate::noun::app::{App, Connection, Installation};
use crate::noun::asset::Asset;
use crate::noun::assignment::Assignment;
use crate::noun::business::Business;
use crate::noun::human::Human;
use crate::noun::page_token::PageCounter;
use crate::noun::passkey::Passkey;
use crate::noun::person::Person;
use crate::noun::share::Share;
use crate::noun::sign_in::SignInCode;
use crate::noun::system_user::SystemUser;
use crate::noun::terms::Terms;
use crate::noun::token::Token;
use crate::{DeclaredKind, Id, List, RecordKey};

/// Makes the sum, and what follows from it for each noun.
macro_rules! records {
    ($($Noun:ident),* $(,)?) => {
        /// One noun of the authority class.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Record {
            $($Noun($Noun),)*
        }

        impl Record {
            fn noun(&self) -> &dyn Sealed {
                match self {
                    $(Record::$Noun(record) => record,)*
                }
            }

            /// Whether a change from this record to `after` narrows. A record never turns into another;
            /// should it, nothing may be taken for granted.
            pub fn narrows(&self, after: &Record) -> bool {
                if self.key() != after.key() {
                    return true;
                }
                match self {
                    $(Record::$Noun(record) => $Noun::from_ref(after).is_none_or(|after| record.narrows(after)),)*
                }
            }
        }

        $(
            impl From<$Noun> for Record {
                fn from(record: $Noun) -> Record {
                    Record::$Noun(record)
                }
            }

            impl $Noun {
                /// The record as this noun, if it is one.
                pub fn from_ref(record: &Record) -> Option<&$Noun> {
                    if let Record::$Noun(record) = record { Some(record) } else { None }
                }

                /// The record as this noun, if it is one.
                pub fn from_record(record: Record) -> Option<$Noun> {
                    if let Record::$Noun(record) = record { Some(record) } else { None }
                }
            }
        )*
    };
}

records! {
    Business,
    Human,
    Passkey,
    Person,
    SystemUser,
    App,
    Connection,
    Installation,
    DeclaredKind,
    Asset,
    Assignment,
    Share,
    Token,
    PageCounter,
    SignInCode,
    Terms,
}

/// The part of [`Noun`] that needs no second record of the same noun.
trait Sealed {
    fn key(&self) -> RecordKey;
    fn listings(&self) -> Vec<(List, Id)>;
    fn narrows_when_new(&self) -> bool;
}

impl<N: Noun> Sealed for N {
    fn key(&self) -> RecordKey {
        Noun::key(self)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        Noun::listings(self)
    }

    fn narrows_when_new(&self) -> bool {
        Noun::narrows_when_new(self)
    }
}

impl Record {
    /// The key of this record.
    pub fn key(&self) -> RecordKey {
        self.noun().key()
    }

    /// The id under which this record stands in a list, if it does.
    pub fn listed(&self, list: List) -> Option<Id> {
        self.noun().listings().into_iter().find(|(of, _)| *of == list).map(|(_, id)| id)
    }

    /// Whether this record takes something away by being made.
    pub fn narrows_when_new(&self) -> bool {
        self.noun().narrows_when_new()
    }
}
