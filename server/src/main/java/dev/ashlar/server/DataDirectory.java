package dev.ashlar.server;

import dev.ashlar.block.StoreFormatException;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.vertx.Formation;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import dev.ashlar.store.lmdb.LmdbEnvironment;
import dev.ashlar.store.lmdb.LmdbOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's data directory. One that cannot be trusted any more - its log or hard state is damaged,
 * or a write failed - is set aside, never deleted, where other members have everything: the node
 * joins them anew, as another member. Alone a node keeps what it has.
 */
final class DataDirectory {

  private static final Logger LOG = LoggerFactory.getLogger(DataDirectory.class);

  /** The addresses of the other members, a line each: whom to join again. */
  private static final String MEMBERS_FILE = "members";

  private static final String SUSPECT_FILE = "suspect";

  /** A disk that goes on failing is a matter for people. */
  private static final int SET_ASIDE_MAX = 3;

  private final Path directory;

  DataDirectory(Path directory) {
    this.directory = directory.toAbsolutePath().normalize();
  }

  /**
   * A store that has been opened.
   *
   * @param rejoin how the member comes to be one, where what there was has been set aside
   */
  record Opened(LmdbBlockStore store, Optional<Formation> rejoin) {}

  Opened open(LmdbOptions options) throws IOException {
    List<String> others = others();
    if (!others.isEmpty() && Files.exists(directory.resolve(SUSPECT_FILE))) {
      return setAside(options, others, "a write to it failed");
    }
    Optional<String> damage = others.isEmpty() ? Optional.empty() : damage(options);
    return damage.isPresent()
        ? setAside(options, others, damage.get())
        : new Opened(LmdbBlockStore.open(directory, options), Optional.empty());
  }

  /** Notes whom to join again; a loss of the note costs the convenience alone. */
  void remember(List<String> others) throws IOException {
    if (!others.equals(others())) {
      Path fresh = directory.resolve(MEMBERS_FILE + ".new");
      Files.write(fresh, others, StandardCharsets.UTF_8);
      Files.move(fresh, directory.resolve(MEMBERS_FILE), StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private List<String> others() throws IOException {
    Path file = directory.resolve(MEMBERS_FILE);
    return Files.exists(file) ? Files.readAllLines(file, StandardCharsets.UTF_8) : List.of();
  }

  private Opened setAside(LmdbOptions options, List<String> others, String why) throws IOException {
    String name = directory.getFileName() + ".damaged-";
    Path parent = Optional.ofNullable(directory.getParent()).orElse(directory);
    try (Stream<Path> siblings = Files.list(parent)) {
      long before =
          siblings.filter(each -> String.valueOf(each.getFileName()).startsWith(name)).count();
      if (before >= SET_ASIDE_MAX) {
        throw new IOException(
            directory
                + " is damaged ("
                + why
                + "), and "
                + before
                + " directories were set aside beside it already: look after the disk, remove them"
                + " or move them away, and start again");
      }
    }
    String now =
        DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").format(LocalDateTime.now(ZoneOffset.UTC));
    Path aside = parent.resolve(name + now);
    Files.move(directory, aside);
    LOG.warn(
        "data={} is damaged: {}; set aside as {}, joining {} anew", directory, why, aside, others);
    LmdbBlockStore store = LmdbBlockStore.open(directory, options);
    remember(others);
    return new Opened(store, Optional.of(new Formation.Join(others)));
  }

  /** Looks at the log before the store is opened, which cannot show what it does not know. */
  private Optional<String> damage(LmdbOptions options) {
    try (StorageEngine engine =
        StorageEngine.open(LmdbEnvironment.open(directory, options), options.engine())) {
      return damage(engine);
    } catch (StoreFormatException e) {
      // Of another version, perhaps: opening it says so.
      return Optional.empty();
    }
  }

  private static Optional<String> damage(StorageEngine engine) {
    if (engine.isHardStateStale()) {
      return Optional.of("the newest hard state fails its checksum");
    }
    return engine.damage().map(found -> "log entry " + found.index() + ": " + found.what());
  }
}
