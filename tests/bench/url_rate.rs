//! GET on a server that is not ours, measured as Doorlight is: for comparison, and to see how much
//! the load generator itself can do.

use std::net::{SocketAddr, SocketAddrV4};

use url::Url;

use crate::Attempt;
use crate::args::Plan;
use crate::callers::{Expect, Fixed, Keep};
use crate::connection::Target;
use crate::http;
use crate::load::{self, Until};
use crate::measure::Figure;
use crate::scenarios::figure_of;
use crate::table::{Row, Unit};

pub fn rows(url: &Url, plan: &Plan) -> Attempt<Vec<Row>> {
    let target = Target {
        address: address(url)?,
        sources: 1,
    };
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let request = http::get(
        &target.address.to_string(),
        &format!("{}{query}", url.path()),
        &[],
    );
    let mut callers = [Keep::new(request.clone())];
    load::run(&target, &mut callers, &Until::OnceEach, &mut || {})?;
    let [
        Keep {
            answer: Some((200, body)),
            ..
        },
    ] = callers
    else {
        return Err(format!("{url} does not answer 200").into());
    };
    let until = Until::Time {
        warm_up: plan.warm_up,
        measured: plan.measured,
    };
    let mut rows = Vec::new();
    for connections in [1, 16, 64] {
        let mut rounds = Vec::new();
        for _ in 0..plan.rounds {
            let mut callers =
                vec![Fixed::new(request.clone(), Expect::Body(body.clone())); connections];
            let outcome = load::run(&target, &mut callers, &until, &mut || {})?;
            let value = outcome.latency.total() as f64 / outcome.elapsed.as_secs_f64();
            rounds.push(figure_of(value, &outcome));
        }
        rows.push(Row {
            title: format!("GET {url}, {connections} connections"),
            unit: Unit::PerSecond,
            budget: None,
            figures: vec![('A', Figure::median(&rounds))],
        });
    }
    Ok(rows)
}

fn address(url: &Url) -> Attempt<SocketAddrV4> {
    let addresses = url.socket_addrs(|| None)?;
    let v4 = addresses.into_iter().find_map(|address| match address {
        SocketAddr::V4(v4) => Some(v4),
        SocketAddr::V6(_) => None,
    });
    Ok(v4
        .filter(|_| url.scheme() == "http")
        .ok_or("not an http address of IPv4")?)
}
