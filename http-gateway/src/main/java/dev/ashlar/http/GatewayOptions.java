package dev.ashlar.http;

import dev.ashlar.block.ReadConsistency;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * What a {@link Gateway} listens on and where its limits are. A record of limits with a default for
 * each; {@code with} methods change one.
 *
 * @param host the address to listen on
 * @param port the port, 0 for any free one
 * @param readOnly whether only {@code GET} and {@code HEAD} of {@code /ipfs} and the health checks
 *     are served
 * @param tokens bearer tokens of which a request must carry one; none are asked for when empty
 * @param hostNames names beside loopback and the address itself that the {@code Host} of a
 *     state-changing request may have
 * @param readConsistency of reads that do not say, empty for what suits each route: linearizable
 *     for Ashlar's own, local for those of IPFS
 * @param publicUrl where clients reach it, empty for wherever one of them did
 * @param limits everything that is bounded
 */
public record GatewayOptions(
    String host,
    int port,
    boolean readOnly,
    Set<String> tokens,
    Set<String> hostNames,
    Optional<ReadConsistency> readConsistency,
    Optional<URI> publicUrl,
    Limits limits) {

  /** The port of {@code ashlar serve}. */
  public static final int PORT_DEFAULT = 8420;

  /** Loopback, the default port, no tokens. */
  public static final GatewayOptions DEFAULT =
      new GatewayOptions(
          "127.0.0.1",
          PORT_DEFAULT,
          false,
          Set.of(),
          Set.of(),
          Optional.empty(),
          Optional.empty(),
          Limits.DEFAULT);

  /** Copies the sets. */
  public GatewayOptions {
    tokens = Set.copyOf(tokens);
    hostNames = Set.copyOf(hostNames);
  }

  /** The same at another address. */
  public GatewayOptions at(String newHost, int newPort) {
    return new GatewayOptions(
        newHost, newPort, readOnly, tokens, hostNames, readConsistency, publicUrl, limits);
  }

  /** The same, serving reads of {@code /ipfs} only, to anybody. */
  public GatewayOptions readingOnly() {
    return new GatewayOptions(
        host, port, true, Set.of(), hostNames, readConsistency, publicUrl, limits);
  }

  /** The same with tokens. */
  public GatewayOptions withTokens(Set<String> newTokens) {
    return new GatewayOptions(
        host, port, readOnly, newTokens, hostNames, readConsistency, publicUrl, limits);
  }

  /** The same with further names for itself. */
  public GatewayOptions withHostNames(Set<String> names) {
    return new GatewayOptions(
        host, port, readOnly, tokens, names, readConsistency, publicUrl, limits);
  }

  /** The same with other limits. */
  public GatewayOptions withLimits(Limits newLimits) {
    return new GatewayOptions(
        host, port, readOnly, tokens, hostNames, readConsistency, publicUrl, newLimits);
  }

  /** The same with another consistency of reads that do not say. */
  public GatewayOptions withReadConsistency(Optional<ReadConsistency> consistency) {
    return new GatewayOptions(
        host, port, readOnly, tokens, hostNames, consistency, publicUrl, limits);
  }

  /** The same, telling others to come to a place of its own. */
  public GatewayOptions reachedAt(Optional<URI> url) {
    return new GatewayOptions(
        host, port, readOnly, tokens, hostNames, readConsistency, url, limits);
  }

  /** Whether an Authorization header carries one of the tokens; compares in constant time. */
  boolean admits(Optional<String> authorization) {
    if (tokens.isEmpty()) {
      return true;
    }
    String prefix = "bearer ";
    if (authorization.isEmpty()
        || !authorization.get().regionMatches(true, 0, prefix, 0, prefix.length())) {
      return false;
    }
    byte[] given =
        authorization.get().substring(prefix.length()).strip().getBytes(StandardCharsets.UTF_8);
    boolean found = false;
    for (String token : tokens) {
      found |= MessageDigest.isEqual(token.getBytes(StandardCharsets.UTF_8), given);
    }
    return found;
  }

  /**
   * Bounds.
   *
   * @param connectionsMax connections at once
   * @param connectionsPerAddressMax connections at once from one address
   * @param requestLineBytesMax the longest request line
   * @param headerBytesMax all headers of a request together
   * @param headerTimeout how long a request's headers may take to arrive
   * @param idleTimeout how long a connection may do nothing
   * @param bodyBytesPerSecondMin how fast a body must arrive
   * @param bodyBytesInFlightMax how many bytes of bodies and blocks are held at once
   * @param workers threads for hashing and storage
   * @param eventLoops event loops that share the connections
   * @param inlineReadBytesMax blocks up to this size are read on the event loop, which saves a
   *     thread hop and is right where they are in memory; 0 reads none there
   * @param carBlocksMax how many blocks a CAR of a DAG has at most
   * @param listLimitDefault entries of a listing's page unless the request says how many
   */
  public record Limits(
      int connectionsMax,
      int connectionsPerAddressMax,
      int requestLineBytesMax,
      int headerBytesMax,
      Duration headerTimeout,
      Duration idleTimeout,
      int bodyBytesPerSecondMin,
      long bodyBytesInFlightMax,
      int workers,
      int eventLoops,
      int inlineReadBytesMax,
      long carBlocksMax,
      int listLimitDefault) {

    /** What suits most. */
    public static final Limits DEFAULT =
        new Limits(
            4096,
            1024,
            8 << 10,
            16 << 10,
            Duration.ofSeconds(10),
            Duration.ofSeconds(60),
            1 << 10,
            128L << 20,
            64,
            1,
            0,
            1_000_000,
            1000);

    /** Checks the ranges. */
    public Limits {
      if (connectionsMax < 1
          || connectionsPerAddressMax < 1
          || requestLineBytesMax < 256
          || headerBytesMax < 256
          || headerTimeout.toMillis() < 1
          || idleTimeout.toMillis() < 1
          || bodyBytesPerSecondMin < 0
          || bodyBytesInFlightMax < 1
          || workers < 1
          || eventLoops < 1
          || inlineReadBytesMax < 0
          || carBlocksMax < 1
          || listLimitDefault < 1) {
        throw new IllegalArgumentException(
            "a limit of the HTTP server is out of range: counts and times are at least 1, lines and"
                + " headers at least 256 bytes");
      }
    }
  }
}
