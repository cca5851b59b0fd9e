package dev.ashlar.http;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.ReadConsistency;
import io.netty.buffer.ByteBuf;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.internal.buffer.BufferInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One request and its response, with what every route needs of them. */
final class Exchange {

  private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);

  private static final long LINGER_MILLIS = 1_000;
  private static final char REPLACEMENT = '\ufffd';

  private final RoutingContext context;
  private final BiConsumer<Exchange, Problem> refusal;

  private Exchange(RoutingContext context, BiConsumer<Exchange, Problem> refusal) {
    this.context = context;
    this.refusal = refusal;
  }

  /** An exchange that is refused with problem details. */
  Exchange(RoutingContext context) {
    this(context, Exchange::refuseWithDetails);
  }

  /** A route's handler that answers with problem details when the route fails. */
  static Handler<RoutingContext> handler(Handler<Exchange> route) {
    return handler(route, Exchange::refuseWithDetails);
  }

  /** A route's handler that answers in a form of its own when the route fails. */
  static Handler<RoutingContext> handler(
      Handler<Exchange> route, BiConsumer<Exchange, Problem> refusal) {
    return context -> {
      Exchange exchange = new Exchange(context, refusal);
      try {
        route.handle(exchange);
      } catch (RuntimeException e) {
        exchange.fail(e);
      }
    };
  }

  HttpServerRequest request() {
    return context.request();
  }

  HttpServerResponse response() {
    return context.response();
  }

  /** Leaves the request to the next route that fits. */
  void next() {
    context.next();
  }

  boolean isHead() {
    return HttpMethod.HEAD.equals(request().method());
  }

  /** Whether it is a GET or a HEAD. */
  boolean isRead() {
    return isHead() || HttpMethod.GET.equals(request().method());
  }

  /** What {@code consistency=} asks for. */
  ReadConsistency consistency(ReadConsistency otherwise) {
    String value = parameter("consistency").orElse("");
    return switch (value) {
      case "" -> otherwise;
      case "linearizable" -> ReadConsistency.LINEARIZABLE;
      case "local" -> ReadConsistency.LOCAL;
      default ->
          throw new Problem(
              Problem.Code.INVALID_REQUEST, "consistency is linearizable or local, not " + value);
    };
  }

  /** The value of a query parameter, which may stand there once at the most. */
  Optional<String> parameter(String name) {
    List<String> values = parameters(name);
    if (values.size() > 1) {
      throw new Problem(
          Problem.Code.INVALID_REQUEST, "parameter " + name + " is given more than once");
    }
    return values.isEmpty() ? Optional.empty() : Optional.of(values.get(0));
  }

  List<String> parameters(String name) {
    List<String> values;
    try {
      values = context.queryParam(name);
    } catch (RuntimeException e) {
      // Vert.x reports a query that it cannot decode in one of several ways.
      throw new Problem(Problem.Code.INVALID_REQUEST, "the query cannot be decoded");
    }
    // Bytes that are no UTF-8 would pass as other names than were sent.
    if (values.stream().anyMatch(value -> value.indexOf(REPLACEMENT) >= 0)) {
      throw new Problem(
          Problem.Code.INVALID_REQUEST, "parameter " + name + " is not percent-encoded UTF-8");
    }
    return values;
  }

  boolean flag(String name, boolean otherwise) {
    String value = parameter(name).orElse(Boolean.toString(otherwise));
    return switch (value) {
      case "true", "1", "" -> true;
      case "false", "0" -> false;
      default ->
          throw new Problem(
              Problem.Code.INVALID_REQUEST, "parameter " + name + " is true or false");
    };
  }

  /** A number in a query parameter. */
  int number(String name, int min, int max, int otherwise) {
    String text = parameter(name).orElse(Integer.toString(otherwise));
    try {
      int number = Integer.parseInt(text);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new Problem(Problem.Code.INVALID_REQUEST, name + " is " + min + " to " + max);
  }

  /** The CID in the path. */
  Cid cidInPath() {
    return cid(pathParameter("cid"));
  }

  /** A part of the path that a route has given a name. */
  String pathParameter(String name) {
    return String.valueOf(context.pathParam(name));
  }

  static Cid cid(String text) {
    try {
      return Cid.parse(text);
    } catch (MalformedException e) {
      throw new Problem(Problem.Code.INVALID_CID, String.valueOf(e.getMessage()));
    }
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(request().getHeader(name));
  }

  /** The length that the request announces, or -1. */
  long contentLength() {
    return header("Content-Length")
        .map(
            value -> {
              try {
                return Long.parseLong(value);
              } catch (NumberFormatException e) {
                throw new Problem(Problem.Code.INVALID_REQUEST, "Content-Length is no number");
              }
            })
        .orElse(-1L);
  }

  /** Refuses a body that would have to be decompressed. */
  void requirePlainBody() {
    header("Content-Encoding")
        .filter(encoding -> !encoding.equalsIgnoreCase("identity"))
        .ifPresent(
            encoding -> {
              throw new Problem(
                  Problem.Code.UNSUPPORTED_MEDIA_TYPE,
                  "send the bytes without Content-Encoding; compressed bodies are not taken");
            });
  }

  /** Tells a client that asked first that its body may come. */
  void invite() {
    if (header("Expect").filter(e -> e.equalsIgnoreCase("100-continue")).isPresent()) {
      response().writeContinue();
    }
  }

  void json(int status, JsonObject body) {
    response()
        .setStatusCode(status)
        .putHeader("Content-Type", "application/json")
        .end(body.toBuffer());
  }

  /** Completes with what a future gives, or with its problem. */
  <T> void answer(Future<T> future, Handler<T> success) {
    answer(future, success, dropped -> {});
  }

  /**
   * Completes with what a future gives, or with its problem.
   *
   * @param dropped takes what nobody is there to be sent to any more, or what could not be sent
   */
  <T> void answer(Future<T> future, Handler<T> success, Handler<T> dropped) {
    future
        .onSuccess(
            value -> {
              if (isGone()) {
                dropped.handle(value);
                return;
              }
              try {
                success.handle(value);
              } catch (RuntimeException e) {
                dropped.handle(value);
                fail(e);
              }
            })
        .onFailure(this::fail);
  }

  /**
   * Bytes that are to be written, and are the caller's again once that is done. Vert.x counts no
   * references to them; over HTTP/2 a stream that is reset ends its writes while their bytes may
   * still be queued, so there they are copied.
   */
  Buffer borrowed(ByteBuf bytes) {
    if (request().version() != HttpVersion.HTTP_2) {
      return BufferInternal.buffer(bytes);
    }
    byte[] copy = new byte[bytes.readableBytes()];
    bytes.getBytes(bytes.readerIndex(), copy);
    return Buffer.buffer(copy);
  }

  /**
   * Writes a part of an answer. What is not taken yet holds room that others wait for, so a client
   * that takes it more slowly than a body has to come is broken off, whatever it sends meanwhile.
   */
  Future<Void> write(Buffer part, GatewayOptions.Limits limits) {
    return unlessTooSlow(response().write(part), part.length(), limits);
  }

  /** Writes the last part of an answer, as {@link #write(Buffer, GatewayOptions.Limits)}. */
  Future<Void> end(Buffer part, GatewayOptions.Limits limits) {
    return unlessTooSlow(response().end(part), part.length(), limits);
  }

  private Future<Void> unlessTooSlow(
      Future<Void> written, int bytes, GatewayOptions.Limits limits) {
    Future<Void> taken = written.recover(e -> Future.failedFuture(new GoneException(e)));
    // The socket takes most at once.
    if (written.isComplete() || limits.bodyBytesPerSecondMin() == 0) {
      return taken;
    }
    long millis =
        Math.max(limits.idleTimeout().toMillis(), 1000L * bytes / limits.bodyBytesPerSecondMin());
    long timer = context.vertx().setTimer(millis, id -> breakOff());
    return taken.onComplete(done -> context.vertx().cancelTimer(timer));
  }

  /** A write failed, so nobody is there to be answered. */
  private static final class GoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GoneException(Throwable cause) {
      super(cause.getMessage(), cause, false, false);
    }
  }

  /** Ends the connection, or the stream of HTTP/2, without what still waits to be taken. */
  private void breakOff() {
    LOG.info("path={} broken off: the client takes its answer too slowly", request().path());
    if (request().version() != HttpVersion.HTTP_2
        && request().connection() instanceof ConnectionBase connection) {
      // A reset by Vert.x would wait until the client has taken what was written before.
      var unused = connection.channel().close();
    } else {
      response().reset();
    }
  }

  /** Writes a body and ends when the socket has taken it, so that a stop does not cut it off. */
  void endWhenWritten(HttpServerResponse response, Buffer body) {
    response
        .putHeader("Content-Length", Integer.toString(body.length()))
        .write(body)
        .onSuccess(written -> response.end());
  }

  /** Whether there is nobody to answer any more. */
  boolean isGone() {
    return response().ended() || response().closed();
  }

  /** Answers with what went wrong, in the exchange's form. */
  void fail(Throwable why) {
    if (isGone() || why instanceof GoneException) {
      LOG.debug("path={} nobody is there to be told: {}", request().path(), why.getMessage());
      if (!isGone()) {
        response().reset();
      }
      return;
    }
    Problem problem = problem(why);
    if (response().headWritten()) {
      // The status has gone out: only a broken connection can say now that it went wrong.
      response().reset();
      return;
    }
    problem.headers().forEach(response()::putHeader);
    refusal.accept(this, problem);
  }

  /** What an exception means to the client; one that nobody has foreseen is logged. */
  Problem problem(Throwable why) {
    Problem problem = Problem.of(why);
    if (problem.code() == Problem.Code.INTERNAL) {
      LOG.error("path={} method={}", request().path(), request().method(), why);
    }
    return problem;
  }

  private void refuseWithDetails(Problem problem) {
    refuse(problem.code().status(), "application/problem+json", problem.toJson().toBuffer());
  }

  /** Ends with an error; where the request's body is still on its way, the connection ends too. */
  void refuse(int status, String contentType, Buffer body) {
    response().setStatusCode(status).putHeader("Content-Type", contentType);
    boolean closes = "close".equals(response().headers().get("Connection"));
    if (!closes && !isBodyComing()) {
      response().end(body);
      return;
    }
    if (request().version() != HttpVersion.HTTP_2) {
      response().putHeader("Connection", "close");
    }
    leave(response().end(body));
  }

  /** Lets go of a request whose answer has ended; what still comes of its body is of no use. */
  void leave(Future<Void> ended) {
    if (!isBodyComing()) {
      return;
    }
    if (request().version() == HttpVersion.HTTP_2) {
      ended.onComplete(sent -> response().reset());
    } else {
      ended.onComplete(sent -> closeLingering());
    }
  }

  /**
   * Closes once the client has sent what it was sending, or after a moment: to close at once would
   * reset the connection and take the answer from a client that has not read it yet (RFC 9112
   * §9.6).
   */
  private void closeLingering() {
    HttpServerRequest request = request();
    if (request.isEnded()) {
      var unused = request.connection().close();
      return;
    }
    context.vertx().setTimer(LINGER_MILLIS, id -> request.connection().close());
    request.handler(ignored -> {}).endHandler(end -> request.connection().close());
    request.resume();
  }

  private boolean isBodyComing() {
    boolean announced =
        header("Transfer-Encoding").isPresent()
            || header("Content-Length").filter(length -> !length.equals("0")).isPresent()
            || request().version() == HttpVersion.HTTP_2;
    return announced && !request().isEnded();
  }
}
