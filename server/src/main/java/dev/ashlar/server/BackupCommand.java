package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.car.CarWriter;
import dev.ashlar.server.client.ClusterClient;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "backup",
    description = {
      "Back a running cluster up into a directory: everything replicated as of one moment.",
      "Run again on the same directory it fetches what is new, or what an interrupted run had not"
          + " fetched. Every block is verified against its CID."
    })
final class BackupCommand extends StoreCommand {

  private static final int BATCH = 256;
  private static final int FETCHES_AT_ONCE = 16;
  private static final int ROUNDS_MAX = 20;

  @Parameters(paramLabel = "DIR", description = "the directory of the backup")
  private Path directory = Path.of("ashlar-backup");

  @Option(
      names = "--of-another-cluster",
      description =
          "go on although the backup is of another cluster, as one that was restored or recovered"
              + " is: blocks that this one does not have are not restored any more")
  private boolean ofAnother;

  @Override
  int run(BlockStore store) throws IOException {
    Backup backup = new Backup(directory);
    Closeable lock = backup.lock();
    try {
      return run(store, backup);
    } finally {
      lock.close();
    }
  }

  private int run(BlockStore store, Backup backup) throws IOException {
    ClusterClient cluster = cluster();
    Optional<Backup.Manifest> previous = backup.manifest();
    Set<Multihash> there = new HashSet<>();
    long fetched = 0;
    Backup.Manifest manifest;
    ExecutorService fetchers = Executors.newFixedThreadPool(FETCHES_AT_ONCE);
    try (CarWriter writer = backup.append(block -> there.add(block.cid().multihash()))) {
      long absent;
      int round = 0;
      do {
        try (Stream<String> lines = cluster.manifest()) {
          manifest = Backup.Manifest.read(lines);
        }
        requireSame(previous, manifest);
        long before = there.size();
        absent = fetch(store, manifest, there, writer, fetchers);
        fetched += there.size() - before;
        // What was deleted since is in no later manifest.
      } while (absent > 0 && ++round < ROUNDS_MAX);
      if (absent > 0) {
        throw new IOException(
            absent
                + " blocks of the manifest are not to be had: try again, or see 'ashlar verify'");
      }
    } finally {
      fetchers.shutdownNow();
    }
    backup.force();
    backup.complete(manifest);
    print(
        manifest.head().copy().put("fetched", fetched),
        "backed up "
            + manifest.rows().size()
            + " blocks as of index "
            + manifest.head().getLong("index")
            + " of cluster "
            + manifest.head().getString("cluster")
            + ", "
            + fetched
            + " of them fetched now");
    return 0;
  }

  private void requireSame(Optional<Backup.Manifest> previous, Backup.Manifest manifest)
      throws IOException {
    String cluster = manifest.head().getString("cluster");
    if (!ofAnother
        && previous.isPresent()
        && !cluster.equals(previous.get().head().getString("cluster"))) {
      throw new IOException(
          directory
              + " is a backup of cluster "
              + previous.get().head().getString("cluster")
              + " and the server belongs to "
              + cluster
              + ": give another directory, or --of-another-cluster");
    }
  }

  private static <T> T joined(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /** Fetches what is not there; gives how many blocks the cluster has no more. */
  private long fetch(
      BlockStore store,
      Backup.Manifest manifest,
      Set<Multihash> there,
      CarWriter writer,
      ExecutorService fetchers)
      throws IOException {
    List<Backup.Row> missing =
        manifest.rows().values().stream()
            .filter(row -> !there.contains(row.cid().multihash()))
            .toList();
    long bytes = missing.stream().mapToLong(Backup.Row::size).sum();
    long absent = 0;
    try (ProgressBar progress = progress("backup", bytes)) {
      for (int from = 0; from < missing.size(); from += BATCH) {
        List<CompletableFuture<Optional<Block>>> asked = new ArrayList<>();
        for (Backup.Row row : missing.subList(from, Math.min(missing.size(), from + BATCH))) {
          asked.add(CompletableFuture.supplyAsync(() -> store.get(row.cid()), fetchers));
        }
        for (CompletableFuture<Optional<Block>> each : asked) {
          Optional<Block> block = joined(each);
          if (block.isPresent()) {
            writer.write(block.get());
            there.add(block.get().cid().multihash());
            progress.stepBy(block.get().size());
          } else {
            absent++;
          }
        }
      }
    }
    writer.flush();
    return absent;
  }
}
