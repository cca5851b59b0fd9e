package dev.ashlar.http;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.ReadConsistency;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.HostAndPort;
import io.vertx.ext.web.Router;
import java.net.URI;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Says of blocks that are here that this server has them, so that clients find it by themselves
 * (Delegated Routing V1 HTTP API). It knows of no other provider.
 */
final class RoutingRoutes {

  private static final String PREFIX = "/routing/v1/";
  private static final String TRANSFER = "transport-ipfs-gateway-http";
  private static final String NDJSON = "application/x-ndjson";

  /** Whoever has found a block finds it there for a while; an absent one may come soon. */
  private static final String CACHED_IF_FOUND =
      "public, max-age=300, stale-while-revalidate=172800, stale-if-error=172800";

  private static final String CACHED_IF_ABSENT =
      "public, max-age=15, stale-while-revalidate=172800, stale-if-error=172800";

  private final Workers workers;
  private final BlockResponse blocks;
  private final Optional<URI> publicUrl;
  private final String peerId;

  RoutingRoutes(Workers workers, BlockResponse blocks, Optional<URI> publicUrl, Identity identity) {
    this.workers = workers;
    this.blocks = blocks;
    this.publicUrl = publicUrl;
    this.peerId = identity.peerId();
  }

  void addTo(Router router) {
    router.route(PREFIX + "*").handler(Exchange.handler(Cors::allowReading));
    router.get(PREFIX + "providers/:cid").handler(Exchange.handler(this::providers));
    router.head(PREFIX + "providers/:cid").handler(Exchange.handler(this::providers));
    router.options(PREFIX + "*").handler(Exchange.handler(Cors::preflight));
    router.route(PREFIX + "*").handler(Exchange.handler(RoutingRoutes::other));
  }

  private static void other(Exchange exchange) {
    if (!exchange.isRead()) {
      throw new Problem(
          Problem.Code.METHOD_NOT_ALLOWED,
          "/routing is for reading",
          Map.of("Allow", "GET, HEAD, OPTIONS"));
    }
    String path = exchange.request().path().substring(PREFIX.length());
    boolean isKnown =
        path.startsWith("peers/") || path.startsWith("ipns/") || path.startsWith("dht/");
    throw isKnown
        ? new Problem(Problem.Code.NOT_IMPLEMENTED, "this server knows of blocks alone")
        : new Problem(Problem.Code.INVALID_REQUEST, "there is " + PREFIX + "providers/CID");
  }

  private void providers(Exchange exchange) {
    Cid cid = key(exchange);
    Optional<JsonObject> record = record(exchange);
    ReadConsistency consistency = blocks.consistency(exchange, ReadConsistency.LOCAL);
    exchange.answer(
        workers.call(store -> store.reading(consistency).has(cid)),
        present -> send(exchange, present ? record : Optional.empty()));
  }

  private static Cid key(Exchange exchange) {
    try {
      return Cid.parse(exchange.pathParameter("cid"));
    } catch (MalformedException e) {
      throw new Problem(Problem.Code.INVALID_KEY, String.valueOf(e.getMessage()));
    }
  }

  private static void send(Exchange exchange, Optional<JsonObject> record) {
    boolean streams =
        exchange.request().headers().getAll("Accept").stream()
            .anyMatch(list -> list.toLowerCase(Locale.ROOT).contains(NDJSON));
    HttpServerResponse response =
        exchange
            .response()
            .putHeader("Vary", "Accept")
            .putHeader("Cache-Control", record.isPresent() ? CACHED_IF_FOUND : CACHED_IF_ABSENT)
            .putHeader(
                "Last-Modified",
                DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)));
    if (streams) {
      response
          .putHeader("Content-Type", NDJSON)
          .end(record.map(found -> found.encode() + "\n").orElse(""));
    } else {
      JsonArray providers = new JsonArray();
      record.ifPresent(providers::add);
      exchange.json(200, new JsonObject().put("Providers", providers));
    }
  }

  /** This server as a provider; empty where the filters of the request leave nothing of it. */
  private Optional<JsonObject> record(Exchange exchange) {
    String address = address(exchange);
    boolean wanted =
        passes(exchange.parameter("filter-protocols"), List.of(TRANSFER))
            && passes(exchange.parameter("filter-addrs"), List.of(address.split("/", -1)));
    return wanted
        ? Optional.of(
            new JsonObject()
                .put("Schema", "peer")
                .put("ID", peerId)
                .put("Addrs", new JsonArray().add(address))
                .put("Protocols", new JsonArray().add(TRANSFER)))
        : Optional.empty();
  }

  /** One of the names that stand there, and none of those behind a {@code !} (IPIP-484). */
  private static boolean passes(Optional<String> filter, List<String> names) {
    if (filter.isEmpty() || filter.get().isBlank()) {
      return true;
    }
    List<String> wanted =
        Arrays.stream(filter.get().toLowerCase(Locale.ROOT).split(",", -1))
            .map(String::strip)
            .toList();
    boolean excluded =
        wanted.stream().anyMatch(w -> w.startsWith("!") && names.contains(w.substring(1)));
    boolean anyPositive = wanted.stream().anyMatch(w -> !w.startsWith("!"));
    return !excluded && (!anyPositive || wanted.stream().anyMatch(names::contains));
  }

  /** The multiaddr under which the client has reached this server, or which is told to all. */
  private String address(Exchange exchange) {
    if (publicUrl.isPresent()) {
      URI url = publicUrl.get();
      boolean secure = "https".equals(url.getScheme());
      int port = url.getPort() >= 0 ? url.getPort() : secure ? 443 : 80;
      return multiaddr(url.getHost(), port, secure);
    }
    HostAndPort authority = exchange.request().authority();
    if (authority == null) {
      throw new Problem(Problem.Code.INVALID_REQUEST, "a request names its Host");
    }
    return multiaddr(authority.host(), authority.port() < 0 ? 80 : authority.port(), false);
  }

  private static String multiaddr(String host, int port, boolean secure) {
    String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    String kind =
        bare.matches("\\d{1,3}(\\.\\d{1,3}){3}") ? "ip4" : bare.contains(":") ? "ip6" : "dns";
    return "/" + kind + "/" + bare + "/tcp/" + port + (secure ? "/tls" : "") + "/http";
  }
}
