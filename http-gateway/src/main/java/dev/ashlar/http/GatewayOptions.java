package dev.ashlar.http;

import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.root.Stamps;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What a {@link Gateway} listens on and where its limits are. A record of limits with a default for
 * each; {@code with} methods change one.
 *
 * @param host the address to listen on
 * @param port the port, 0 for any free one
 * @param readOnly whether only {@code GET} and {@code HEAD} of {@code /ipfs} and the health checks
 *     are served
 * @param deserialized whether {@code /ipfs} without a format is answered with the file, directory
 *     or value that is there, as a browser wants it
 * @param tokens bearer tokens of which a request must carry one; none are asked for when empty
 * @param hostNames names beside loopback and the address itself that the {@code Host} of a
 *     state-changing request may have
 * @param readConsistency of reads that do not say, empty for what suits each route: linearizable
 *     for Ashlar's own, local for those of IPFS
 * @param publicUrl where clients reach it, empty for wherever one of them did
 * @param limits everything of a request that is bounded
 * @param tasks what takes long
 */
public record GatewayOptions(
    String host,
    int port,
    boolean readOnly,
    boolean deserialized,
    Set<String> tokens,
    Set<String> hostNames,
    Optional<ReadConsistency> readConsistency,
    Optional<URI> publicUrl,
    Limits limits,
    Tasks tasks) {

  /** The port of {@code ashlar serve}. */
  public static final int PORT_DEFAULT = 8420;

  /** Loopback, the default port, no tokens. */
  public static final GatewayOptions DEFAULT =
      new GatewayOptions(
          "127.0.0.1",
          PORT_DEFAULT,
          false,
          false,
          Set.of(),
          Set.of(),
          Optional.empty(),
          Optional.empty(),
          Limits.DEFAULT,
          Tasks.DEFAULT);

  /** Copies the sets. */
  public GatewayOptions {
    tokens = Set.copyOf(tokens);
    hostNames = Set.copyOf(hostNames);
  }

  /** The same at another address. */
  public GatewayOptions at(String newHost, int newPort) {
    return with(
        draft -> {
          draft.host = newHost;
          draft.port = newPort;
        });
  }

  /** The same, serving reads of {@code /ipfs} only, to anybody. */
  public GatewayOptions readingOnly() {
    return with(
        draft -> {
          draft.readOnly = true;
          draft.tokens = Set.of();
        });
  }

  /** The same, answering with files and directories, or not. */
  public GatewayOptions deserializing(boolean value) {
    return with(draft -> draft.deserialized = value);
  }

  /** The same with tokens. */
  public GatewayOptions withTokens(Set<String> newTokens) {
    return with(draft -> draft.tokens = newTokens);
  }

  /** The same with further names for itself. */
  public GatewayOptions withHostNames(Set<String> names) {
    return with(draft -> draft.hostNames = names);
  }

  /** The same with other limits. */
  public GatewayOptions withLimits(Limits newLimits) {
    return with(draft -> draft.limits = newLimits);
  }

  /** The same with other bounds of what takes long. */
  public GatewayOptions withTasks(Tasks newTasks) {
    return with(draft -> draft.tasks = newTasks);
  }

  /** The same with another consistency of reads that do not say. */
  public GatewayOptions withReadConsistency(Optional<ReadConsistency> consistency) {
    return with(draft -> draft.readConsistency = consistency);
  }

  /** The same, telling others to come to a place of its own. */
  public GatewayOptions reachedAt(Optional<URI> url) {
    return with(draft -> draft.publicUrl = url);
  }

  private GatewayOptions with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return new GatewayOptions(
        draft.host,
        draft.port,
        draft.readOnly,
        draft.deserialized,
        draft.tokens,
        draft.hostNames,
        draft.readConsistency,
        draft.publicUrl,
        draft.limits,
        draft.tasks);
  }

  /** Options that are being changed. */
  private static final class Draft {
    private String host;
    private int port;
    private boolean readOnly;
    private boolean deserialized;
    private Set<String> tokens;
    private Set<String> hostNames;
    private Optional<ReadConsistency> readConsistency;
    private Optional<URI> publicUrl;
    private Limits limits;
    private Tasks tasks;

    Draft(GatewayOptions from) {
      host = from.host;
      port = from.port;
      readOnly = from.readOnly;
      deserialized = from.deserialized;
      tokens = from.tokens;
      hostNames = from.hostNames;
      readConsistency = from.readConsistency;
      publicUrl = from.publicUrl;
      limits = from.limits;
      tasks = from.tasks;
    }
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
   * @param bodyBytesPerSecondMin how fast a body must arrive, and an answer be taken; 0 for any
   *     speed
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

  /**
   * Bounds of what takes long: imports, exports, walks, collections, feeds.
   *
   * @param jobsMax how many run at once, each with a thread of its own; further ones are refused
   * @param feedsMax how many follow the feed of changes at once
   * @param walkBytesMax how much memory a walk that marks blocks may take
   * @param collectionGrace blocks that were put less long ago are not collected, unless the request
   *     says otherwise; at most a day
   * @param collectAboveBytes a collection begins by itself when the live blocks have more bytes
   *     than this; 0 for never
   */
  public record Tasks(
      int jobsMax,
      int feedsMax,
      long walkBytesMax,
      Duration collectionGrace,
      long collectAboveBytes) {

    /** What suits most. */
    public static final Tasks DEFAULT = new Tasks(16, 256, 256L << 20, Duration.ofHours(1), 0);

    /** Checks the ranges. */
    public Tasks {
      if (jobsMax < 1
          || feedsMax < 0
          || walkBytesMax < 1 << 20
          || collectAboveBytes < 0
          || collectionGrace.isNegative()
          || collectionGrace.toSeconds() > Stamps.KEPT_SECONDS) {
        throw new IllegalArgumentException(
            "a bound of jobs is out of range: at least one job, a megabyte for a walk, a grace of at"
                + " most a day");
      }
    }
  }
}
