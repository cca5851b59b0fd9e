package dev.ashlar.http;

import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Who may do what, before any route is asked: bearer tokens, and for requests that change something
 * the names of this server, so that a web page that a user visits cannot write here, neither from
 * its own origin nor through a name that it has bound to loopback.
 */
final class RequestGuard {

  private static final Set<HttpMethod> READING =
      Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);
  private static final String RPC = "/api/v0/";

  /** A client that does not speak HTTP properly is not listened to any longer. */
  static final Map<String, String> CLOSE = Map.of("Connection", "close");

  private final GatewayOptions options;

  RequestGuard(GatewayOptions options) {
    this.options = options;
  }

  /**
   * Passes the request on, or throws.
   *
   * @throws Problem when it is not admitted
   */
  void check(Exchange exchange) {
    HttpServerRequest request = exchange.request();
    HostAndPort authority = request.authority();
    if (request.uri().chars().anyMatch(c -> c <= ' ' || c == 127)) {
      throw new Problem(
          Problem.Code.INVALID_REQUEST, "the request target has control characters", CLOSE);
    }
    for (String segment : request.path().split("/", -1)) {
      String decoded = segment.replaceAll("(?i)%2e", ".");
      if (decoded.equals(".") || decoded.equals("..")) {
        // Whoever guards paths before this server would have seen another one.
        throw new Problem(Problem.Code.INVALID_REQUEST, "a path has no segment '.' or '..'", CLOSE);
      }
    }
    if (authority == null || request.headers().getAll("Host").size() > 1) {
      throw new Problem(Problem.Code.INVALID_REQUEST, "a request names its Host, once", CLOSE);
    }
    exchange
        .header("Transfer-Encoding")
        .filter(encoding -> !encoding.equalsIgnoreCase("chunked"))
        .ifPresent(
            encoding -> {
              throw new Problem(
                  Problem.Code.INVALID_REQUEST, "no transfer encoding but chunked is taken", CLOSE);
            });
    boolean preflight =
        HttpMethod.OPTIONS.equals(request.method())
            && (request.path().startsWith("/ipfs/") || request.path().startsWith("/routing/v1/"));
    if (!isHealthCheck(request.path())
        && !preflight
        && !options.admits(exchange.header("Authorization"))) {
      throw new Problem(
          Problem.Code.UNAUTHORIZED,
          "send Authorization: Bearer TOKEN with a token of this server",
          Map.of("WWW-Authenticate", "Bearer"));
    }
    if (READING.contains(request.method())) {
      return;
    }
    if (!isOwnName(authority.host())) {
      throw new Problem(
          Problem.Code.FORBIDDEN,
          "this server is not called " + printable(authority.host()) + ": see option --host-name");
    }
    exchange.header("Origin").ifPresent(origin -> requireOwn(origin, authority));
    if (request.path().startsWith(RPC)) {
      exchange.header("Referer").ifPresent(referer -> requireOwn(referer, authority));
      boolean browser =
          exchange.header("User-Agent").filter(agent -> agent.startsWith("Mozilla")).isPresent();
      if (browser && exchange.header("Origin").isEmpty()) {
        throw new Problem(Problem.Code.FORBIDDEN, "browsers say their Origin here");
      }
    }
  }

  private static boolean isHealthCheck(String path) {
    return "/livez".equals(path) || "/readyz".equals(path);
  }

  private static void requireOwn(String origin, HostAndPort authority) {
    Optional<URI> uri = parse(origin);
    boolean own =
        uri.isPresent()
            && authority.host().equalsIgnoreCase(uri.get().getHost())
            && port(uri.get(), uri.get().getPort()) == port(uri.get(), authority.port());
    if (!own) {
      throw new Problem(
          Problem.Code.FORBIDDEN, "requests from " + printable(origin) + " change nothing here");
    }
  }

  /** An address is nobody else's name; a name must be one of ours. */
  private boolean isOwnName(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    return name.equals("localhost")
        || name.startsWith("[")
        || name.indexOf(':') >= 0
        || name.matches("\\d{1,3}(\\.\\d{1,3}){3}")
        || name.equals(options.host().toLowerCase(Locale.ROOT))
        || options.hostNames().stream().anyMatch(name::equalsIgnoreCase);
  }

  private static Optional<URI> parse(String text) {
    try {
      return Optional.of(URI.create(text)).filter(uri -> uri.getHost() != null);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** A port, or where it is left out the usual one of the origin's scheme. */
  private static int port(URI uri, int given) {
    if (given >= 0) {
      return given;
    }
    return "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
  }

  private static String printable(String text) {
    String cut = text.length() > 100 ? text.substring(0, 100) : text;
    return cut.replaceAll("[^\\x21-\\x7e]", "?");
  }
}
