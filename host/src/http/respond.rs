//! From the core's answers to hyper's responses.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tidegate_core::http::Answer;

use super::patience::ServingGuard;
use super::pieces::Pieces;

/// A body that is there, or one that is still being made.
pub(super) type Content = Either<Full<Bytes>, Pieces>;

/// A body that keeps its connection marked as serving until it is sent.
#[derive(Debug)]
pub(super) struct Served {
    content: Content,
    _guard: ServingGuard,
}

impl Served {
    pub(super) fn new(content: Content, guard: ServingGuard) -> Self {
        Self {
            content,
            _guard: guard,
        }
    }
}

impl Body for Served {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.content).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}

/// A whole answer. hyper adds Date, Content-Length and Connection.
pub(super) fn whole(mut answer: Answer) -> Response<Content> {
    let body = std::mem::take(&mut answer.body);
    with_head(&answer, Either::Left(Full::new(Bytes::from(body))))
}

/// The head of an answer whose body follows in pieces.
pub(super) fn streaming(answer: &Answer, pieces: Pieces) -> Response<Content> {
    with_head(answer, Either::Right(pieces))
}

fn with_head(answer: &Answer, content: Content) -> Response<Content> {
    let mut response = Response::new(content);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        // The core has taken control bytes out of values; names are constants.
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
