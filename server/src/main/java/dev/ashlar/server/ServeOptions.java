package dev.ashlar.server;

import ch.qos.logback.classic.Level;
import dev.ashlar.block.Block;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.engine.StoreLimits;
import dev.ashlar.http.GatewayOptions;
import dev.ashlar.raft.vertx.Formation;
import dev.ashlar.raft.vertx.RaftNodeOptions;
import dev.ashlar.store.lmdb.LmdbOptions;
import io.vertx.core.net.HostAndPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of {@code ashlar serve}. */
final class ServeOptions {

  private static final long IN_FLIGHT_BYTES_MAX = 128L << 20;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "a file with options, one a line: name=value")
  private @Nullable Path config;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "ashlar-data",
      description = "where blocks are kept (default: ${DEFAULT-VALUE})")
  private Path data = Path.of("ashlar-data");

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:8420",
      description = "where to serve HTTP; port 0 takes any (default: ${DEFAULT-VALUE})")
  private String listen = "127.0.0.1:8420";

  @Option(
      names = "--gateway",
      paramLabel = "HOST:PORT",
      description = "a second address that serves reads of /ipfs and /routing only, to anybody")
  private @Nullable String gateway;

  @Option(
      names = "--deserialized",
      description =
          "answer /ipfs without a format with the file or directory that is there, for browsers;"
              + " else that is refused")
  private boolean deserialized;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "bearer tokens, one a line, of which every request must carry one")
  private @Nullable Path tokenFile;

  @Option(
      names = "--allow-unauthenticated",
      fallbackValue = "true",
      description = "serve an address that is not loopback to everybody who reaches it")
  private boolean allowUnauthenticated;

  @Option(
      names = "--host-name",
      paramLabel = "NAME",
      split = ",",
      description = "a name of this server that requests which change something may use")
  private List<String> hostNames = List.of();

  @Option(
      names = "--public-url",
      paramLabel = "URL",
      description =
          "where clients that ask /routing are told to come (default: where they came to)")
  private @Nullable URI publicUrl;

  @Option(
      names = "--block-bytes",
      paramLabel = "BYTES",
      defaultValue = "2097152",
      description = "the largest block, up to 16777216 (default: ${DEFAULT-VALUE})")
  private int blockBytes = Block.BYTES_MAX_DEFAULT;

  @Option(
      names = "--reserve-bytes",
      paramLabel = "BYTES",
      defaultValue = "16777216",
      description = "uploads are refused below this much free space (default: ${DEFAULT-VALUE})")
  private long reserveBytes = 16 << 20;

  @Option(
      names = "--compact-seconds",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description =
          "how long the bytes of deleted blocks may stay in the store (default: ${DEFAULT-VALUE})")
  private int compactSeconds = 60;

  @Option(
      names = "--workers",
      paramLabel = "N",
      defaultValue = "64",
      description = "threads for hashing and storage (default: ${DEFAULT-VALUE})")
  private int workers = 64;

  @Option(
      names = "--event-loops",
      paramLabel = "N",
      defaultValue = "1",
      description = "threads for network traffic (default: ${DEFAULT-VALUE})")
  private int eventLoops = 1;

  @Option(
      names = "--inline-read-bytes",
      paramLabel = "BYTES",
      defaultValue = "0",
      description =
          "read blocks up to this size on the event loop; right where they are in memory"
              + " (default: ${DEFAULT-VALUE})")
  private int inlineReadBytes;

  @Option(
      names = "--car-blocks",
      paramLabel = "N",
      defaultValue = "1000000",
      description = "the most blocks in a CAR of a DAG (default: ${DEFAULT-VALUE})")
  private long carBlocks = 1_000_000;

  @Option(
      names = "--jobs",
      paramLabel = "N",
      defaultValue = "16",
      description =
          "imports, exports, walks and collections at once, each with a thread (default:"
              + " ${DEFAULT-VALUE})")
  private int jobs = 16;

  @Option(
      names = "--feeds",
      paramLabel = "N",
      defaultValue = "256",
      description = "readers of the feed of changes at once (default: ${DEFAULT-VALUE})")
  private int feeds = 256;

  @Option(
      names = "--walk-bytes",
      paramLabel = "BYTES",
      defaultValue = "268435456",
      description =
          "memory that a pin's walk or a collection may take, 16 to 64 bytes a block (default:"
              + " ${DEFAULT-VALUE})")
  private long walkBytes = 256L << 20;

  @Option(
      names = "--gc-grace-seconds",
      paramLabel = "SECONDS",
      defaultValue = "3600",
      description =
          "blocks that were put less long ago are not collected; at most 86400 (default:"
              + " ${DEFAULT-VALUE})")
  private int graceSeconds = 3600;

  @Option(
      names = "--gc-above-bytes",
      paramLabel = "BYTES",
      defaultValue = "0",
      description =
          "collect what no pin and no reference leads to when blocks have more bytes than this; the"
              + " leader does; 0 for only when it is asked for (default: ${DEFAULT-VALUE})")
  private long collectAboveBytes;

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "4096",
      description = "connections at once (default: ${DEFAULT-VALUE})")
  private int connections = 4096;

  @Option(
      names = "--connections-per-address",
      paramLabel = "N",
      defaultValue = "1024",
      description = "connections at once from one address (default: ${DEFAULT-VALUE})")
  private int connectionsPerAddress = 1024;

  @Option(
      names = "--request-line-bytes",
      paramLabel = "BYTES",
      defaultValue = "8192",
      description = "the longest request line (default: ${DEFAULT-VALUE})")
  private int requestLineBytes = 8192;

  @Option(
      names = "--header-bytes",
      paramLabel = "BYTES",
      defaultValue = "16384",
      description = "all headers of a request together (default: ${DEFAULT-VALUE})")
  private int headerBytes = 16384;

  @Option(
      names = "--header-seconds",
      paramLabel = "SECONDS",
      defaultValue = "10",
      description = "how long a request's headers may take (default: ${DEFAULT-VALUE})")
  private int headerSeconds = 10;

  @Option(
      names = "--idle-seconds",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "how long a connection may do nothing (default: ${DEFAULT-VALUE})")
  private int idleSeconds = 60;

  @Option(
      names = "--body-rate",
      paramLabel = "BYTES",
      defaultValue = "1024",
      description = "how many bytes a second a body must bring (default: ${DEFAULT-VALUE})")
  private int bodyRate = 1024;

  @Option(
      names = "--in-flight-bytes",
      paramLabel = "BYTES",
      description =
          "bytes of bodies held at once, and of blocks that are being sent; more wait (default: a"
              + " quarter of the heap, at most 134217728)")
  private @Nullable Long inFlightBytes;

  @Option(
      names = "--read-consistency",
      paramLabel = "HOW",
      description =
          "LINEARIZABLE or LOCAL, for reads that do not say (default: linearizable for /blocks, local"
              + " for /ipfs and block/get)")
  private @Nullable ReadConsistency readConsistency;

  @Option(
      names = "--supervise",
      fallbackValue = "true",
      description =
          "run the node in a second process, and start it again when it ends by itself; where there"
              + " is systemd or the like, let that do it")
  private boolean supervise;

  @Mixin private PeerOptions peers = new PeerOptions();

  @Option(
      names = "--stop-seconds",
      paramLabel = "SECONDS",
      defaultValue = "30",
      description = "how long a stop waits for requests under way (default: ${DEFAULT-VALUE})")
  private int stopSeconds = 30;

  @Option(
      names = "--log-format",
      paramLabel = "FORMAT",
      defaultValue = "TEXT",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  private Logging.Format logFormat = Logging.Format.TEXT;

  @Option(
      names = "--log-level",
      paramLabel = "LEVEL",
      defaultValue = "INFO",
      description = "ERROR, WARN, INFO or DEBUG (default: ${DEFAULT-VALUE})")
  private String logLevel = "INFO";

  /** Fails, as wrong usage, on what does not go together. */
  void check(CommandLine commandLine) {
    try {
      check();
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(commandLine, String.valueOf(e.getMessage()), e);
    }
  }

  private void check() {
    HostAndPort address = address(listen);
    if (!isLoopback(address.host()) && tokenFile == null && !allowUnauthenticated) {
      throw new IllegalArgumentException(
          listen
              + " can be reached by others: give --token-file FILE, or --allow-unauthenticated to"
              + " serve everybody, or listen on 127.0.0.1 and open reads alone with --gateway");
    }
    if (gateway != null) {
      address(gateway);
    }
    if (address.port() != 0 && peers.isAt(address)) {
      throw new IllegalArgumentException(
          "--listen and --peer-listen are the same address, " + listen + ": give each its own");
    }
    var unusedFormation = peers.formation();
    var unusedLimits = limits();
    var unusedStore = store();
  }

  Path data() {
    return data;
  }

  Optional<Path> config() {
    return Optional.ofNullable(config);
  }

  LmdbOptions store() {
    return LmdbOptions.DEFAULT.withLimits(
        StoreLimits.DEFAULT.withBlockBytesMax(blockBytes).withReserveBytes(reserveBytes));
  }

  long reserveBytes() {
    return reserveBytes;
  }

  GatewayOptions http() throws IOException {
    HostAndPort address = address(listen);
    Set<String> tokens = new LinkedHashSet<>();
    if (tokenFile != null) {
      Files.readAllLines(tokenFile).stream()
          .map(String::strip)
          .filter(line -> !line.isEmpty() && !line.startsWith("#"))
          .forEach(tokens::add);
      if (tokens.isEmpty()) {
        throw new IllegalArgumentException(tokenFile + " has no token");
      }
    }
    return GatewayOptions.DEFAULT
        .at(address.host(), address.port())
        .withTokens(tokens)
        .withHostNames(Set.copyOf(hostNames))
        .reachedAt(publicUrl())
        .deserializing(deserialized)
        .withReadConsistency(Optional.ofNullable(readConsistency))
        .withLimits(limits())
        .withTasks(
            new GatewayOptions.Tasks(
                jobs, feeds, walkBytes, Duration.ofSeconds(graceSeconds), collectAboveBytes));
  }

  Optional<GatewayOptions> readOnly() {
    return Optional.ofNullable(gateway)
        .map(ServeOptions::address)
        .map(
            address ->
                GatewayOptions.DEFAULT
                    .at(address.host(), address.port())
                    .withLimits(limits())
                    .deserializing(deserialized)
                    .readingOnly());
  }

  private Optional<URI> publicUrl() {
    if (publicUrl != null
        && (publicUrl.getHost() == null
            || !List.of("http", "https").contains(publicUrl.getScheme()))) {
      throw new IllegalArgumentException(
          "--public-url is http://HOST[:PORT] or https://HOST[:PORT], not " + publicUrl);
    }
    return Optional.ofNullable(publicUrl);
  }

  GatewayOptions.Limits limits() {
    return new GatewayOptions.Limits(
        connections,
        connectionsPerAddress,
        requestLineBytes,
        headerBytes,
        Duration.ofSeconds(headerSeconds),
        Duration.ofSeconds(idleSeconds),
        bodyRate,
        inFlightBytes == null
            ? Math.min(IN_FLIGHT_BYTES_MAX, Runtime.getRuntime().maxMemory() / 4)
            : inFlightBytes,
        workers,
        eventLoops,
        inlineReadBytes,
        carBlocks,
        GatewayOptions.Limits.DEFAULT.listLimitDefault());
  }

  boolean isSupervised() {
    return supervise && !Boolean.getBoolean(Supervisor.SUPERVISED);
  }

  Formation formation() {
    return peers.formation();
  }

  RaftNodeOptions node() throws IOException {
    return peers.node(address(listen).port() == 0, reserveBytes, compactSeconds);
  }

  long stuckMillis() {
    return peers.stuckMillis();
  }

  int blockBytes() {
    return blockBytes;
  }

  int eventLoops() {
    return eventLoops;
  }

  Duration stopGrace() {
    return Duration.ofSeconds(Math.max(0, stopSeconds));
  }

  void configureLogging() {
    Logging.configure(logFormat, Level.toLevel(logLevel, Level.INFO));
  }

  static HostAndPort address(String text) {
    HostAndPort address = HostAndPort.parseAuthority(text, -1);
    if (address == null || address.port() < 0 || address.port() > 65_535) {
      throw new IllegalArgumentException("an address is HOST:PORT, not " + text);
    }
    String host = address.host();
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    return bracketed
        ? HostAndPort.create(host.substring(1, host.length() - 1), address.port())
        : address;
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("no such address: " + host, e);
    }
  }
}
