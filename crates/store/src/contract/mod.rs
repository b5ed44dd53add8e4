//! The contract: what every store must do, as cases that each engine runs.
//!
//! A case gets one set of data that nobody else uses. Cases use the port alone, never wait for a
//! clock, and must not depend on which engine runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod content;
mod history;
mod jobs;
mod lease;
mod records;
mod rest;
mod telemetry;
mod tickets;
mod world;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use crate::Store;

/// One set of data that starts empty.
#[async_trait]
pub trait Home: Send + Sync {
    /// Opens the data. The cases drop every earlier handle first.
    async fn open(&self) -> Arc<dyn Store>;

    /// Opens the data once more while another handle is open, as a second node would; `None`
    /// where the engine lets only one in.
    async fn join(&self) -> Option<Arc<dyn Store>>;
}

/// One case.
pub struct Case {
    pub name: &'static str,
    pub run: for<'a> fn(&'a dyn Home) -> Running<'a>,
}

/// A case that runs.
pub type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! cases {
    ($($module:ident: $($name:ident)*;)*) => {
        /// All cases.
        pub const CASES: &[Case] = &[$($(Case { name: stringify!($name), run: |home| Box::pin($module::$name(home)) }),*),*];
    };
}

cases! {
    history: an_empty_store_has_nothing revisions_have_no_gaps_and_the_chain_verifies a_batch_is_whole
        a_conflict_fails_one_write_only a_broken_constraint_names_the_write_and_leaves_nothing
        two_committers_exclude_each_other a_dropped_lock_lets_go outcomes_are_found_by_commit tails_come_in_pages
        tails_go_backwards_in_pages entries_say_what_was_done;
    records: every_record_comes_back_as_it_was a_load_equals_the_fold_of_the_ledger constraints_are_a_backstop
        a_load_shows_one_revision reopening_keeps_everything;
    content: content_changes_by_version lists_equal_a_naive_list several_are_found_by_id
        all_content_is_listed_in_the_order_of_ids;
    jobs: claims_are_exclusive jobs_are_claimed_kind_by_kind a_lease_that_ran_out_frees_the_job
        a_lease_is_renewed_by_its_holder_alone a_job_is_put_back_by_its_holder_alone only_the_holder_finishes
        rearmed_and_cancelled_jobs_are_nobodys every_job_stands_in_the_entry_that_its_row_names
        a_job_that_its_entry_could_not_show_is_refused a_job_with_an_entry_is_not_entered_again
        runners_that_race_share_nothing;
    telemetry: uses_add_up usage_adds_up_by_day_and_right usage_is_bounded_by_day_and_age
        refusals_are_found_by_trace_and_kept_by_age refusals_of_strangers_leave_those_of_businesses
        whoever_holds_most_refusals_loses_the_oldest quotas_hold_for_refusals_of_any_order texts_compare_byte_by_byte;
    tickets: a_ticket_is_taken_once_and_before_its_end a_ticket_is_put_if_none_lives_under_its_key
        tickets_that_ended_are_removed one_of_many_gets_a_ticket;
    rest: keys_are_replaced_as_one a_trial_write_leaves_no_trace the_last_check_of_the_ledger_is_kept;
    lease: a_lease_is_taken_by_its_counter_alone a_released_lease_is_free
        a_renewal_gives_the_head_that_it_read a_handle_without_the_lease_commits_nothing;
}

/// Runs a case by its name.
pub async fn run(name: &str, home: &dyn Home) {
    let case = CASES.iter().find(|case| case.name == name).expect("a case of this name");
    (case.run)(home).await;
}

/// Makes a test of every case; the expression is a future of a `Box<dyn Home>`.
#[macro_export]
macro_rules! contract_tests {
    ($home:expr) => {
        $crate::contract_tests! { @ $home;
            an_empty_store_has_nothing revisions_have_no_gaps_and_the_chain_verifies a_batch_is_whole
            a_conflict_fails_one_write_only a_broken_constraint_names_the_write_and_leaves_nothing
            two_committers_exclude_each_other a_dropped_lock_lets_go outcomes_are_found_by_commit tails_come_in_pages
            tails_go_backwards_in_pages entries_say_what_was_done
            every_record_comes_back_as_it_was a_load_equals_the_fold_of_the_ledger constraints_are_a_backstop
            a_load_shows_one_revision reopening_keeps_everything
            content_changes_by_version lists_equal_a_naive_list several_are_found_by_id
            all_content_is_listed_in_the_order_of_ids
            claims_are_exclusive jobs_are_claimed_kind_by_kind a_lease_that_ran_out_frees_the_job
            a_lease_is_renewed_by_its_holder_alone a_job_is_put_back_by_its_holder_alone only_the_holder_finishes
            rearmed_and_cancelled_jobs_are_nobodys every_job_stands_in_the_entry_that_its_row_names
            a_job_that_its_entry_could_not_show_is_refused a_job_with_an_entry_is_not_entered_again
            runners_that_race_share_nothing
            uses_add_up usage_adds_up_by_day_and_right usage_is_bounded_by_day_and_age
            refusals_are_found_by_trace_and_kept_by_age refusals_of_strangers_leave_those_of_businesses
            whoever_holds_most_refusals_loses_the_oldest quotas_hold_for_refusals_of_any_order texts_compare_byte_by_byte
            a_ticket_is_taken_once_and_before_its_end a_ticket_is_put_if_none_lives_under_its_key
            tickets_that_ended_are_removed one_of_many_gets_a_ticket
            keys_are_replaced_as_one a_trial_write_leaves_no_trace the_last_check_of_the_ledger_is_kept
            a_lease_is_taken_by_its_counter_alone a_released_lease_is_free
            a_renewal_gives_the_head_that_it_read a_handle_without_the_lease_commits_nothing
        }
    };
    (@ $home:expr; $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let home = $home.await;
                $crate::contract::run(stringify!($name), &*home).await;
            }
        )*

        #[test]
        fn every_case_is_a_test() {
            let tests = [$(stringify!($name)),*];
            let cases: Vec<&str> = $crate::contract::CASES.iter().map(|case| case.name).collect();
            assert_eq!(tests.as_slice(), cases.as_slice());
        }
    };
}
