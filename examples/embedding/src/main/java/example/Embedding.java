package example;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.PutResult;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A block store inside another program: one directory, no server, no JVM flag. */
public final class Embedding {

  private Embedding() {}

  /** Stores, reads, lists and deletes blocks in the directory that the first argument names. */
  public static void main(String[] arguments) {
    Path directory = Path.of(arguments.length > 0 ? arguments[0] : "blocks");
    try (BlockStore store = LmdbBlockStore.open(directory)) {
      // A put is on the disk when it returns, and says whether the block was new.
      byte[] bytes = "hello".getBytes(StandardCharsets.UTF_8);
      PutResult put = store.put(Block.copyOf(bytes));
      System.out.println("put " + put.cid() + " new=" + put.isNew());

      // Absence is a result, not an exception.
      Optional<Block> found = store.get(put.cid());
      System.out.println("got " + new String(found.orElseThrow().toByteArray(), StandardCharsets.UTF_8));
      Cid absent = Cid.parse("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
      System.out.println("absent " + store.get(absent).isEmpty());

      // Many at once share a transaction.
      store.putAll(List.of(Block.copyOf(new byte[] {1}), Block.copyOf(new byte[] {2})));

      // A view reads the bytes where they lie; the buffer is good inside the function only.
      int length = store.view(put.cid(), view -> view.remaining()).orElseThrow();
      System.out.println("length " + length);

      // A listing goes by pages, from a cursor that can be kept.
      Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
      while (cursor.isPresent()) {
        BlockPage page = store.list(cursor.get(), 2);
        page.entries().forEach(entry -> System.out.println("listed " + entry.cid()));
        cursor = page.next();
      }

      System.out.println("deleted " + store.delete(put.cid()));
      System.out.println("blocks " + store.statistics().blocks());
    } catch (NoSpaceException e) {
      // Each refusal has a type of its own; this one was not done, and reads and deletes go on.
      System.err.println(e.getMessage());
      System.exit(1);
    }
  }
}
