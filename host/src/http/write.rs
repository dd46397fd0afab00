//! A write, from its head to the answer.

use std::sync::Arc;

use tidegate_core::http::{AckLevel, Answer, Counter, WritePlan};

use super::body::{self, Received};
use super::service::Server;
use crate::database::{Ack, Unavailable};

/// Bodies beyond this keep the engine busy for more than a millisecond or two; the runtime is
/// then told to look after other connections with other threads.
const LONG_BYTES: usize = 4 << 20;

/// Carries out the plan. `now_ns` was read when the request came in.
pub(super) async fn serve(
    server: &Arc<Server>,
    plan: &WritePlan,
    body: Received,
    now_ns: i64,
) -> Answer {
    let mut taken = server.budget.begin();
    let mut buffer = server.pool.take();
    let rate_min = server.limits.body_rate_min.0;
    // No lock is held while a client takes its time.
    if let Err(answer) = body::receive(plan, body, rate_min, &mut taken, &mut buffer).await {
        return answer;
    }
    server.figures.add(Counter::WriteBytes, buffer.len() as u64);
    let Some(database) = server.databases.get(&plan.database) else {
        return plan.unavailable("the database was dropped while the request arrived");
    };
    let request = plan.request(now_ns);
    server.figures.add(Counter::EngineWrites, 1);
    let failed = |answer: Answer| {
        server.figures.add(Counter::EngineWritesFailed, 1);
        answer
    };
    let written = loop {
        if let Err(unavailable) = database.ready().await {
            return failed(plan.unavailable(&unavailable.to_string()));
        }
        let written = if buffer.len() > LONG_BYTES {
            tokio::task::block_in_place(|| database.write(&request, &buffer, plan.ack))
        } else {
            database.write(&request, &buffer, plan.ack)
        };
        if !matches!(written, Err(Unavailable::Opening)) {
            break written;
        }
    };
    drop((buffer, taken));
    let (report, ack) = match written {
        Ok(Ok(accepted)) => accepted,
        Ok(Err(error)) => return failed(plan.answer(&Err(error))),
        Err(unavailable) => return failed(plan.unavailable(&unavailable.to_string())),
    };
    if let Ack::Later(safe) = ack {
        match tokio::time::timeout(server.limits.durable_timeout.0, safe).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) if plan.ack == AckLevel::Wal => {
                let text = "storage failed before the points were written, retry";
                return failed(plan.unavailable(text));
            }
            Ok(Err(_)) => {
                let text = "storage failed before the points were durable, retry";
                return failed(plan.unavailable(text));
            }
            Err(_) => {
                server.figures.add(Counter::Timeouts, 1);
                return failed(plan.unavailable("timeout"));
            }
        }
    }
    server.figures.points(&report);
    database.count_acknowledged(report.written);
    plan.answer(&Ok(report))
}
