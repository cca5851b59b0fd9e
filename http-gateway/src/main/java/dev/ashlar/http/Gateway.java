package dev.ashlar.http;

import dev.ashlar.block.root.RootedBlockStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.core.transport.Transport;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The HTTP interfaces over a block store, on one address.
 *
 * <p>It neither owns nor closes the store. Bodies stream; hashing and storage run on worker
 * threads.
 */
public final class Gateway {

  private static final int STREAMS_PER_CONNECTION_MAX = 256;

  private final List<HttpServer> servers;
  private final Workers workers;
  private final Jobs jobs;

  private Gateway(List<HttpServer> servers, Workers workers, Jobs jobs) {
    this.servers = servers;
    this.workers = workers;
    this.jobs = jobs;
  }

  /**
   * A Vert.x whose gateways speak HTTP/2 too, by prior knowledge, and which bounds all connections
   * to its servers: nothing but gateways may listen on it, for what does not send the headers of a
   * request in time is cut off. On any other Vert.x a gateway speaks HTTP/1.1 alone.
   *
   * @param limits those of connections; they count for all gateways of this Vert.x together
   */
  public static Vertx vertx(VertxOptions options, GatewayOptions.Limits limits) {
    Transport transport = Transport.nativeTransport();
    return Vertx.builder()
        .with(options)
        .withTransport(
            new InspectedTransport(
                transport != null && transport.available() ? transport : Transport.NIO, limits))
        .build();
  }

  /**
   * Begins to listen.
   *
   * @param agent name and version, such as {@code ashlar/1.2.3}
   * @param unready says why the server is not ready, in words; empty when it is; must not block
   */
  public static Future<Gateway> start(
      Vertx vertx,
      RootedBlockStore store,
      GatewayOptions options,
      String agent,
      Supplier<List<String>> unready) {
    return start(vertx, store, options, agent, unready, GatewayExtension.NONE);
  }

  /** As above, with routes of the caller's beside these. */
  public static Future<Gateway> start(
      Vertx vertx,
      RootedBlockStore store,
      GatewayOptions options,
      String agent,
      Supplier<List<String>> unready,
      GatewayExtension extension) {
    Workers workers = new Workers(vertx, store, options.limits());
    Jobs jobs = new Jobs(vertx, workers, options);
    if (!options.readOnly()) {
      jobs.collections().countTime(vertx);
    }
    Router router = router(vertx, workers, jobs, options, agent, unready, extension);
    boolean inspected = ((VertxInternal) vertx).transport() instanceof InspectedTransport.Inspected;
    ConnectionCounter counter = new ConnectionCounter(options.limits());
    List<HttpServer> servers = new ArrayList<>();
    Future<HttpServer> listening =
        server(vertx, router, counter, inspected, options).listen(options.port(), options.host());
    // Further servers on the same port share its connections, each on an event loop of its own.
    return listening
        .compose(
            first -> {
              servers.add(first);
              List<Future<HttpServer>> others = new ArrayList<>();
              for (int i = 1; i < options.limits().eventLoops(); i++) {
                others.add(
                    server(vertx, router, counter, inspected, options)
                        .listen(first.actualPort(), options.host())
                        .onSuccess(servers::add));
              }
              return Future.all(others);
            })
        .map(all -> new Gateway(servers, workers, jobs))
        .onFailure(e -> jobs.close().eventually(workers::close));
  }

  /** The port that it listens on. */
  public int port() {
    return servers.get(0).actualPort();
  }

  /** Takes no more connections, finishes what it has begun for at most so long, and stops. */
  public Future<Void> stop(Duration grace) {
    return Future.join(
            servers.stream()
                .map(server -> server.shutdown(grace.toMillis(), TimeUnit.MILLISECONDS))
                .toList())
        .transform(done -> jobs.close().eventually(workers::close));
  }

  /** The routes, without a server; for the test that holds the OpenAPI file against them. */
  static Router router(
      Vertx vertx,
      Workers workers,
      Jobs jobs,
      GatewayOptions options,
      String agent,
      Supplier<List<String>> unready,
      GatewayExtension extension) {
    Router router = Router.router(vertx);
    RequestGuard guard = new RequestGuard(options);
    BlockResponse blocks = new BlockResponse(workers, options);
    router
        .route()
        .handler(
            Exchange.handler(
                exchange -> {
                  guard.check(exchange);
                  exchange.next();
                }));
    router.get("/livez").handler(Exchange.handler(e -> e.json(200, live())));
    router.get("/readyz").handler(Exchange.handler(e -> ready(e, unready.get())));
    new TrustlessRoutes(workers, blocks, options).addTo(router);
    Identity identity = Identity.create(agent);
    new RoutingRoutes(workers, blocks, options.publicUrl(), identity).addTo(router);
    if (!options.readOnly()) {
      extension.addTo(router);
      String description = openApi(extension);
      router
          .get("/openapi.json")
          .handler(
              Exchange.handler(
                  e ->
                      e.response().putHeader("Content-Type", "application/json").end(description)));
      new BulkRoutes(jobs).addTo(router);
      new NativeRoutes(vertx, workers, options.limits(), blocks).addTo(router);
      new RootRoutes(workers, jobs, options.limits().listLimitDefault()).addTo(router);
      new FeedRoutes(vertx, workers, options.tasks().feedsMax()).addTo(router);
      KuboPinRoutes pins = new KuboPinRoutes(jobs);
      pins.addTo(router);
      new KuboBlockRoutes(vertx, workers, options.limits(), blocks, jobs, pins).addTo(router);
      new KuboDagRoutes(workers, jobs, pins).addTo(router);
      new KuboFileRoutes(jobs, pins).addTo(router);
      new KuboRepoRoutes(workers, jobs, identity).addTo(router);
      Kubo.addRest(router);
    }
    router.errorHandler(
        400,
        c ->
            new Exchange(c)
                .fail(
                    new Problem(
                        Problem.Code.INVALID_REQUEST, "malformed request", RequestGuard.CLOSE)));
    router.errorHandler(404, c -> problem(c, Problem.Code.NOT_FOUND, "no such resource"));
    router.errorHandler(405, Gateway::otherMethod);
    router.errorHandler(500, Gateway::unexpected);
    return router;
  }

  private static HttpServer server(
      Vertx vertx,
      Router router,
      ConnectionCounter counter,
      boolean inspected,
      GatewayOptions options) {
    GatewayOptions.Limits limits = options.limits();
    HttpServerOptions server =
        new HttpServerOptions()
            .setMaxInitialLineLength(limits.requestLineBytesMax())
            .setMaxHeaderSize(limits.headerBytesMax())
            .setIdleTimeout((int) limits.idleTimeout().toMillis())
            .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
            .setDecompressionSupported(false)
            .setCompressionSupported(false)
            .setTcpNoDelay(true)
            .setUseSemicolonAsQueryParamDelimiter(false)
            .setHttp2ClearTextEnabled(inspected)
            .setInitialSettings(
                new Http2Settings()
                    .setMaxConcurrentStreams(STREAMS_PER_CONNECTION_MAX)
                    .setMaxHeaderListSize(limits.headerBytesMax()));
    return vertx
        .createHttpServer(server)
        .connectionHandler(
            connection -> {
              // With HTTP/1 alone the connection is shown as soon as it is accepted.
              if (!inspected && connection instanceof ConnectionBase base) {
                base.channel()
                    .pipeline()
                    .addFirst(new ConnectionInspector(options.limits(), counter));
              }
            })
        .invalidRequestHandler(Gateway::malformed)
        .requestHandler(
            request -> {
              ConnectionInspector.requestArrived(request);
              router.handle(request);
            });
  }

  private static JsonObject live() {
    return new JsonObject().put("live", true);
  }

  private static void ready(Exchange exchange, List<String> reasons) {
    exchange.json(
        reasons.isEmpty() ? 200 : 503,
        new JsonObject().put("ready", reasons.isEmpty()).put("reasons", new JsonArray(reasons)));
  }

  private static void problem(RoutingContext context, Problem.Code code, String detail) {
    new Exchange(context).fail(new Problem(code, detail));
  }

  private static void otherMethod(RoutingContext context) {
    String path = context.normalizedPath();
    String allowed = allowed(path);
    new Exchange(context)
        .fail(
            new Problem(
                Problem.Code.METHOD_NOT_ALLOWED,
                "this resource takes " + allowed,
                Map.of("Allow", allowed)));
  }

  private static String allowed(String path) {
    if (path.equals("/blocks")) {
      return "GET, POST";
    }
    if (path.matches("/gc|/blocks/(get|has|delete)")) {
      return "POST";
    }
    if (path.startsWith("/blocks/")) {
      return "GET, HEAD, PUT, DELETE";
    }
    return path.matches("/(pins|refs)/.*") ? "GET, PUT, DELETE" : "GET";
  }

  private static void unexpected(RoutingContext context) {
    Throwable failure = context.failure();
    new Exchange(context)
        .fail(failure == null ? new IllegalStateException("a route failed") : failure);
  }

  /** What Netty could not read as HTTP: answered, and the connection closed. */
  private static void malformed(HttpServerRequest request) {
    Throwable cause = request.decoderResult().cause();
    String name = cause == null ? "" : cause.getClass().getSimpleName();
    Problem.Code code =
        switch (name) {
          case "TooLongHttpLineException" -> Problem.Code.URI_TOO_LONG;
          case "TooLongHttpHeaderException" -> Problem.Code.HEADERS_TOO_LARGE;
          default -> Problem.Code.INVALID_REQUEST;
        };
    request
        .response()
        .setStatusCode(code.status())
        .putHeader("Content-Type", "application/problem+json")
        .putHeader("Connection", "close")
        .end(new Problem(code, "the request is not proper HTTP").toJson().toBuffer())
        .onComplete(sent -> request.connection().close());
  }

  private static String openApi(GatewayExtension extension) {
    try (InputStream in = Gateway.class.getResourceAsStream("openapi.json")) {
      if (in == null) {
        throw new IllegalStateException("openapi.json is missing from the jar");
      }
      JsonObject description = new JsonObject(Buffer.buffer(in.readAllBytes()));
      description.getJsonObject("paths").mergeIn(extension.openApiPaths());
      return description.encodePrettily();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
