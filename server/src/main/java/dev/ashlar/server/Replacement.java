package dev.ashlar.server;

import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.raft.vertx.Formation;
import dev.ashlar.raft.vertx.FormationException;
import dev.ashlar.raft.vertx.KnownCluster;
import dev.ashlar.raft.vertx.NodeStatus;
import dev.ashlar.raft.vertx.RaftNodeOptions;
import dev.ashlar.server.client.DirectoryTree;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import io.vertx.core.Vertx;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces a member whose store is damaged by a new one in the same place: its files are set aside
 * within its directory, and it joins its cluster anew, under a new id, as it would with a new disk.
 * That is done where the others have everything without it, which they are asked first.
 *
 * <p>{@code cluster.json} is what the member knows of its cluster, for the time when its store
 * cannot be read. {@code rejoin.json} says that it is being replaced, until it is a member again;
 * it is written before anything is moved, so that a stop at any point is gone on from.
 */
final class Replacement {

  private static final Logger LOG = LoggerFactory.getLogger(Replacement.class);
  private static final String KNOWN = "cluster.json";
  private static final String REJOIN = "rejoin.json";
  private static final String ASIDE = "damaged-";
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss");

  private final Path data;
  private Optional<KnownCluster> known;

  Replacement(Path data) throws IOException {
    this.data = data;
    this.known = read(KNOWN).flatMap(KnownCluster::decode);
  }

  /** How the member is formed where a replacement is under way, whose move is completed here. */
  Optional<Formation> pending() throws IOException {
    Optional<JsonObject> rejoin = read(REJOIN).flatMap(Replacement::json);
    if (rejoin.isEmpty()) {
      return Optional.empty();
    }
    if (!rejoin.get().getBoolean("moved", false)) {
      move(rejoin.get());
    }
    List<String> contacts =
        rejoin.get().getJsonArray("contacts", new JsonArray()).stream()
            .map(String::valueOf)
            .toList();
    LOG.info("this member is being replaced: it joins its cluster anew by way of {}", contacts);
    Optional<UUID> cluster =
        Optional.ofNullable(rejoin.get().getString("cluster")).map(UUID::fromString);
    return Optional.of(new Formation.Join(contacts, cluster));
  }

  /**
   * Sets the store aside, if the cluster can do without it.
   *
   * @param why what is wrong with it
   * @throws StoreDamagedException where it cannot, with the reason
   */
  Formation replace(Vertx vertx, RaftNodeOptions options, StoreDamagedException why)
      throws IOException {
    LOG.error("the store is damaged", why);
    KnownCluster cluster =
        known.orElseThrow(() -> refused(why, "it has not been a member of a cluster"));
    List<String> others;
    try {
      others =
          cluster
              .requireDispensable(vertx, options)
              .toCompletionStage()
              .toCompletableFuture()
              .join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof FormationException reason) {
        throw refused(why, String.valueOf(reason.getMessage()));
      }
      throw e;
    }
    removeOlder();
    JsonObject rejoin =
        new JsonObject()
            .put("cluster", cluster.cluster().toString())
            .put("contacts", new JsonArray(others))
            .put("aside", ASIDE + LocalDateTime.now(ZoneOffset.UTC).format(TIME));
    write(REJOIN, rejoin.encode());
    move(rejoin);
    return pending().orElseThrow();
  }

  /** Remembers the cluster; what was under way is over once the member belongs to it. */
  void learn(NodeStatus status) throws IOException {
    boolean belongs = status.membership().contains(status.self());
    if (!belongs) {
      boolean isRemoved = !status.membership().members().isEmpty();
      if (isRemoved && known.isPresent()) {
        Files.deleteIfExists(data.resolve(KNOWN));
        known = Optional.empty();
      }
      return;
    }
    KnownCluster now = KnownCluster.of(status);
    if (known.filter(now::equals).isEmpty()) {
      write(KNOWN, now.encode());
      known = Optional.of(now);
    }
    boolean isVoter = status.membership().voters().contains(status.self());
    if (isVoter && Files.deleteIfExists(data.resolve(REJOIN))) {
      LOG.info("this member has been replaced and is a voter again");
    }
  }

  /** Whether the member in a directory is to join anew. */
  static boolean isUnderWay(Path data) {
    return Files.exists(data.resolve(REJOIN));
  }

  /** Forgets a cluster that the member does not belong to any more. */
  static void forget(Path data) throws IOException {
    Files.deleteIfExists(data.resolve(KNOWN));
    Files.deleteIfExists(data.resolve(REJOIN));
  }

  private void move(JsonObject rejoin) throws IOException {
    String aside = rejoin.getString("aside", ASIDE);
    LmdbBlockStore.setAside(data, aside);
    LOG.warn(
        "what was in {} is in {} now; delete it when it is not needed for an inquiry",
        data,
        data.resolve(aside));
    write(REJOIN, rejoin.put("moved", true).encode());
  }

  /** One store that was set aside is kept: more would fill the disk. */
  private void removeOlder() throws IOException {
    try (Stream<Path> files = Files.list(data)) {
      for (Path old :
          files.filter(file -> file.getFileName().toString().startsWith(ASIDE)).toList()) {
        LOG.warn("{} is deleted, for the store is set aside again", old);
        DirectoryTree.delete(old);
      }
    }
  }

  private static StoreDamagedException refused(StoreDamagedException why, String reason) {
    return new StoreDamagedException(
        why.getMessage() + "; it is not replaced by itself, for " + reason);
  }

  private static Optional<JsonObject> json(String text) {
    try {
      return Optional.of(new JsonObject(text));
    } catch (DecodeException e) {
      return Optional.empty();
    }
  }

  private Optional<String> read(String name) throws IOException {
    Path file = data.resolve(name);
    return Files.exists(file) ? Optional.of(Files.readString(file)) : Optional.empty();
  }

  private void write(String name, String text) throws IOException {
    Path draft = data.resolve(name + ".new");
    Files.writeString(draft, text);
    DurableFile.replace(data.resolve(name), draft);
  }
}
