package dev.ashlar.server;

import dev.ashlar.raft.core.CoreOptions;
import dev.ashlar.raft.driver.DriverOptions;
import dev.ashlar.raft.driver.ScrubOptions;
import dev.ashlar.raft.vertx.ClusterSecret;
import dev.ashlar.raft.vertx.Formation;
import dev.ashlar.raft.vertx.RaftNodeOptions;
import io.vertx.core.net.HostAndPort;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of {@code ashlar serve} about the other members of a cluster. */
final class PeerOptions {

  private static final int TICK_MILLIS = 20;
  private static final int SCRUB_REST_SECONDS_MAX = 7 * 24 * 3600;

  @Option(
      names = "--peer-listen",
      paramLabel = "HOST:PORT",
      description =
          "where other members reach this one (default: 127.0.0.1:8421, or any free port where"
              + " --listen takes any)")
  private @Nullable String peerListen;

  @Option(
      names = "--advertise",
      paramLabel = "HOST:PORT",
      description = "the address that other members are told (default: where it listens)")
  private @Nullable String advertise;

  @Option(
      names = "--initial-cluster",
      paramLabel = "HOST:PORT",
      split = ",",
      description = "found a cluster with these members; each is started with the same list, once")
  private List<String> initialCluster = List.of();

  @Option(
      names = "--join",
      paramLabel = "HOST:PORT",
      split = ",",
      description = "become a member of the cluster that these belong to")
  private List<String> join = List.of();

  @Option(
      names = "--cluster-secret-file",
      paramLabel = "FILE",
      description = "a secret that all members share; its first line counts")
  private @Nullable Path secretFile;

  @Option(
      names = "--peer-certificate",
      paramLabel = "FILE",
      description = "this member's certificate for mutual TLS between members (PEM)")
  private @Nullable Path certificate;

  @Option(names = "--peer-key", paramLabel = "FILE", description = "its private key (PEM)")
  private @Nullable Path key;

  @Option(
      names = "--scrub-mib-per-second",
      paramLabel = "MIB",
      description =
          "how fast all blocks are read again and again to find damage; 0 for not at all (default:"
              + " ${DEFAULT-VALUE})")
  private int scrubMibPerSecond = 4;

  @Option(
      names = "--scrub-rest-seconds",
      paramLabel = "SECONDS",
      description = "how long it rests once all blocks have been read (default: ${DEFAULT-VALUE})")
  private int scrubRestSeconds = 3600;

  @Option(
      names = "--peer-authority",
      paramLabel = "FILE",
      description = "the certificates of who may sign those of members (PEM)")
  private @Nullable Path authority;

  @Option(
      names = "--heartbeat-millis",
      paramLabel = "MILLIS",
      defaultValue = "100",
      description = "between two heartbeats of a leader (default: ${DEFAULT-VALUE})")
  private int heartbeatMillis = 100;

  @Option(
      names = "--election-millis",
      paramLabel = "MILLIS",
      defaultValue = "500",
      description =
          "after how long without a leader one is elected, up to twice that (default:"
              + " ${DEFAULT-VALUE})")
  private int electionMillis = 500;

  @Option(
      names = "--stuck-seconds",
      paramLabel = "SECONDS",
      defaultValue = "120",
      description =
          "end when a write to the storage, or opening it, has not ended for so long, to be started"
              + " again (default: ${DEFAULT-VALUE})")
  private int stuckSeconds = 120;

  @Option(
      names = "--log-entries",
      paramLabel = "N",
      defaultValue = "131072",
      description =
          "about how many applied entries are kept for members that are behind (default:"
              + " ${DEFAULT-VALUE})")
  private int logEntries = 128 << 10;

  @Option(
      names = "--log-bytes",
      paramLabel = "BYTES",
      defaultValue = "268435456",
      description = "about how many bytes of them (default: ${DEFAULT-VALUE})")
  private long logBytes = 256L << 20;

  /** Whether it listens there. */
  boolean isAt(HostAndPort other) {
    if (peerListen == null) {
      return other.port() == 8421;
    }
    HostAndPort own = address(peerListen);
    return own.port() == other.port() && own.host().equals(other.host());
  }

  /** How the member comes to be one, where its disk does not say. */
  Formation formation() {
    if (!initialCluster.isEmpty() && !join.isEmpty()) {
      throw new IllegalArgumentException("give --initial-cluster or --join, not both");
    }
    if (!initialCluster.isEmpty()) {
      initialCluster.forEach(PeerOptions::address);
      if (Set.copyOf(new ArrayList<>(initialCluster)).size() < initialCluster.size()) {
        throw new IllegalArgumentException("--initial-cluster names a member twice");
      }
      return new Formation.Initial(initialCluster);
    }
    if (!join.isEmpty()) {
      join.forEach(PeerOptions::address);
      if (join.contains(peerListen) || join.contains(advertise)) {
        throw new IllegalArgumentException("--join names another member, not this one");
      }
      return new Formation.Join(join);
    }
    return new Formation.Alone();
  }

  int stuckMillis() {
    return Math.multiplyExact(stuckSeconds, 1000);
  }

  /**
   * What the member is made with.
   *
   * @param anyPort whether to listen on any free port unless told otherwise
   * @param reserveBytes puts are refused unless a quorum has more free
   * @param compactSeconds how long the bytes of deleted blocks may stay
   */
  RaftNodeOptions node(boolean anyPort, long reserveBytes, int compactSeconds) throws IOException {
    HostAndPort listen =
        address(peerListen == null ? "127.0.0.1:" + (anyPort ? 0 : 8421) : peerListen);
    if (advertise != null) {
      address(advertise);
    }
    int compactTicks = Math.max(1, compactSeconds * 1000 / TICK_MILLIS / 2);
    return RaftNodeOptions.DEFAULT
        .at(listen.host(), listen.port(), Optional.ofNullable(advertise))
        .withDriver(driver(reserveBytes, compactTicks))
        .stuckAfter(stuckMillis())
        .secured(secret(), tls())
        .released(Main.Version.number());
  }

  private DriverOptions driver(long reserveBytes, int compactTicks) {
    if (scrubMibPerSecond < 0 || scrubMibPerSecond > 50) {
      throw new IllegalArgumentException(
          "--scrub-mib-per-second is 0 to 50, not " + scrubMibPerSecond);
    }
    if (scrubRestSeconds < 0 || scrubRestSeconds > SCRUB_REST_SECONDS_MAX) {
      throw new IllegalArgumentException(
          "--scrub-rest-seconds is 0 to " + SCRUB_REST_SECONDS_MAX + ", not " + scrubRestSeconds);
    }
    if (electionMillis < 3 * heartbeatMillis || heartbeatMillis < TICK_MILLIS) {
      throw new IllegalArgumentException(
          "--heartbeat-millis is at least 20 and --election-millis at least three times that, not "
              + heartbeatMillis
              + " and "
              + electionMillis);
    }
    CoreOptions core =
        CoreOptions.DEFAULT.withTimes(
            Math.max(1, heartbeatMillis / TICK_MILLIS),
            electionMillis / TICK_MILLIS,
            2 * electionMillis / TICK_MILLIS);
    long heapBytes = Runtime.getRuntime().maxMemory();
    return DriverOptions.DEFAULT
        .withCore(core)
        .withMemory(
            Math.min(DriverOptions.DEFAULT.cacheBytesMax(), heapBytes / 8),
            Math.min(DriverOptions.DEFAULT.pendingBytesMax(), heapBytes / 4))
        .withUpkeep(reserveBytes, compactTicks)
        .withRetention(logEntries, logBytes)
        .withScrub(
            ScrubOptions.DEFAULT
                .at(scrubMibPerSecond * (1L << 20) * TICK_MILLIS / 1000)
                .resting(scrubRestSeconds * 1000 / TICK_MILLIS));
  }

  private ClusterSecret secret() throws IOException {
    if (secretFile == null) {
      return ClusterSecret.NONE;
    }
    List<String> lines = Files.readAllLines(secretFile);
    String secret = lines.isEmpty() ? "" : lines.get(0).strip();
    if (secret.length() < 16) {
      throw new IllegalArgumentException(
          secretFile + " has no secret of at least 16 characters in its first line");
    }
    return ClusterSecret.of(secret.getBytes(StandardCharsets.UTF_8));
  }

  private Optional<RaftNodeOptions.Tls> tls() {
    List<@Nullable Path> files = Arrays.asList(certificate, key, authority);
    if (certificate == null || key == null || authority == null) {
      if (files.stream().anyMatch(file -> file != null)) {
        throw new IllegalArgumentException(
            "mutual TLS needs --peer-certificate, --peer-key and --peer-authority");
      }
      return Optional.empty();
    }
    return Optional.of(
        new RaftNodeOptions.Tls(
            new PemKeyCertOptions().addCertPath(certificate.toString()).addKeyPath(key.toString()),
            new PemTrustOptions().addCertPath(authority.toString())));
  }

  private static HostAndPort address(String text) {
    return ServeOptions.address(text);
  }
}
