package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.car.CarWriter;
import dev.ashlar.block.ipld.Links;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import me.tongfei.progressbar.ProgressBar;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "export",
    description = {
      "Write blocks as a CARv1: all of them, or what can be reached from roots, depth-first.",
      "The same blocks give the same file, byte for byte."
    })
final class ExportCommand extends StoreCommand {

  private static final int PAGE = 1000;

  @ArgGroup(multiplicity = "1")
  private What what = new What();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "write to this file instead of standard output")
  private @Nullable Path output;

  /** All blocks, or those below roots. */
  private static final class What {
    @Option(names = "--all", description = "every block, in the order of hashes")
    private boolean all;

    @Option(names = "--root", paramLabel = "CID", arity = "1..*", description = "a DAG's root")
    private List<String> roots = List.of();
  }

  @Override
  int run(BlockStore store) throws IOException {
    List<Cid> roots = new ArrayList<>();
    what.roots.forEach(text -> roots.add(cid(text)));
    for (Cid root : roots) {
      if (!store.has(root)) {
        return absent(root);
      }
    }
    // A file appears under its name only once it is whole.
    Path partial = output == null ? null : output.resolveSibling(output.getFileName() + ".part");
    OutputStream out = partial == null ? standardOutput() : Files.newOutputStream(partial);
    int status;
    try (CarWriter writer = CarWriter.open(out, roots);
        ProgressBar progress = progress("export", what.all ? store.statistics().bytes() : -1)) {
      status = what.all ? writeAll(store, writer, progress) : walk(store, writer, roots, progress);
    }
    if (partial != null && output != null) {
      if (status == 0) {
        Files.move(partial, output, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      } else {
        Files.deleteIfExists(partial);
      }
    }
    return status;
  }

  private static int writeAll(BlockStore store, CarWriter writer, ProgressBar progress)
      throws IOException {
    Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
    while (cursor.isPresent()) {
      BlockPage page = store.list(cursor.get(), PAGE);
      for (BlockPage.Entry entry : page.entries()) {
        Optional<Block> block = store.get(entry.cid());
        if (block.isPresent()) {
          writer.write(block.get());
          progress.stepTo(writer.bytes());
        }
      }
      cursor = page.next();
    }
    return 0;
  }

  /** Depth-first, each block at its first occurrence, as links name it. */
  private int walk(BlockStore store, CarWriter writer, List<Cid> roots, ProgressBar progress)
      throws IOException {
    Set<Multihash> seen = new HashSet<>();
    Deque<Cid> next = new ArrayDeque<>(roots);
    while (!next.isEmpty()) {
      Cid cid = next.pop();
      if (!seen.add(cid.multihash())) {
        continue;
      }
      Optional<Block> block = store.get(cid);
      if (block.isEmpty()) {
        return absent(cid);
      }
      writer.write(block.get());
      progress.stepTo(writer.bytes());
      List<Cid> links = Links.of(block.get());
      for (int i = links.size() - 1; i >= 0; i--) {
        next.push(links.get(i));
      }
    }
    return 0;
  }
}
