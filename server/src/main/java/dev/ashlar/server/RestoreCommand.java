package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.PutBatch;
import dev.ashlar.block.root.RootedBlockStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "restore",
    description = {
      "Put what a backup has into a store, every block verified; what the store has besides stays.",
      "An interrupted run is gone on from by running it again."
    })
final class RestoreCommand extends StoreCommand {

  @Parameters(paramLabel = "DIR", description = "the directory of the backup")
  private Path directory = Path.of("ashlar-backup");

  @Option(names = "--check", description = "only check that the backup is whole")
  private boolean checks;

  private boolean asksFirst;

  @Override
  int run(BlockStore store) throws IOException {
    Backup backup = new Backup(directory);
    Backup.Manifest manifest =
        backup
            .manifest()
            .orElseThrow(
                () ->
                    new IOException(
                        directory
                            + " has no manifest: the backup was not completed, run it again"));
    Set<Multihash> missing = new HashSet<>(manifest.rows().keySet());
    PutBatch batch = new PutBatch(store);
    asksFirst = !checks && store.statistics().blocks() > 0;
    try (ProgressBar progress = progress("restore", manifest.head().getLong("bytes"))) {
      Backup.Found found =
          backup.read(
              block -> {
                Backup.Row row = manifest.rows().get(block.cid().multihash());
                if (row != null && missing.remove(block.cid().multihash())) {
                  restore(
                      store,
                      batch,
                      block.cid().equals(row.cid())
                          ? block
                          : Block.verified(row.cid(), block.bytes()));
                  progress.stepBy(block.size());
                }
              });
      batch.flush();
      if (!missing.isEmpty()) {
        throw new IOException(
            "the backup lacks "
                + missing.size()
                + " of the blocks that its manifest names ("
                + found.damaged()
                + " are damaged, and "
                + found.end()
                + " bytes can be read); all others are restored. Back up again to mend it");
      }
    }
    int kept = checks ? 0 : restoreRoots(store, manifest);
    long blocks = manifest.rows().size();
    print(
        manifest.head().copy().put("checked", checks).put("new", batch.created()),
        (checks
                ? "the backup is whole: " + blocks + " blocks"
                : "restored " + blocks + " blocks, " + batch.created() + " of them new")
            + ", as of index "
            + manifest.head().getLong("index")
            + ", and "
            + manifest.roots().size()
            + " pins and references"
            + (kept == 0 ? "" : ", " + kept + " of which are others here and stayed as they were"));
    return 0;
  }

  /** Gives how many were not restored, since there are others in their place. */
  private int restoreRoots(BlockStore store, Backup.Manifest manifest) throws IOException {
    int others = 0;
    for (SavedRoot root : manifest.roots()) {
      boolean done =
          store instanceof RootedBlockStore rooted
              ? root.restoreTo(rooted.roots())
              : root.restoreTo(server());
      others += done ? 0 : 1;
    }
    return others;
  }

  private void restore(BlockStore store, PutBatch batch, Block block) {
    if (checks || (asksFirst && store.has(block.cid()))) {
      return;
    }
    batch.add(block);
  }
}
