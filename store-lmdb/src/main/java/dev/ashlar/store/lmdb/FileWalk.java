package dev.ashlar.store.lmdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Walks the trees of an LMDB file (format version 1, as LMDB 0.9 writes it) without LMDB, which
 * checks no page of its own: a damaged one can end the process, or hide keys without a word. Looks
 * at the structure only: meta page, branch and leaf pages, the first header of overflow pages, the
 * list of free pages. Values are the engine's to check; they may be read all the same, for where a
 * device does not give a page of a mapped file the process ends.
 *
 * <p>Each page must be used once and say its own number; nodes must lie within their page; keys
 * must ascend, within what the page above says; each tree must have the depth, the pages and the
 * entries that its root record claims.
 */
final class FileWalk {

  private static final int PAGE_HEADER_BYTES = 16;
  private static final int NODE_HEADER_BYTES = 8;
  private static final int DATABASE_BYTES = 48;
  private static final int META_DATABASES_AT = PAGE_HEADER_BYTES + 24;
  private static final int META_LAST_PAGE_AT = META_DATABASES_AT + 2 * DATABASE_BYTES;
  private static final int META_TRANSACTION_AT = META_LAST_PAGE_AT + 8;
  private static final int META_BYTES = META_TRANSACTION_AT + 8;
  private static final int MAGIC = 0xBEEFC0DE;
  private static final int VERSION = 1;
  private static final int BRANCH = 0x01;
  private static final int LEAF = 0x02;
  private static final int OVERFLOW = 0x04;
  private static final int NUMBER_KEYS = 0x08;
  private static final int BIG_DATA = 0x01;
  private static final int SUB_DATABASE = 0x02;
  private static final int DEPTH_MAX = 32;
  private static final long NO_PAGE = -1;
  private static final int VALUE_READ_BYTES = 1 << 20;

  private final FileChannel file;
  private final int pageBytes;
  private final long lastPage;
  private final BitSet used = new BitSet();
  private final Deque<ByteBuffer> spare = new ArrayDeque<>();
  private final Optional<ByteBuffer> values;

  /** What a file turns out to be. */
  private static final class UnsoundException extends Exception {

    private static final long serialVersionUID = 1L;

    UnsoundException(String what) {
      super(what);
    }
  }

  /** The commit that was to be looked at is not to be found any more. */
  static final class OvertakenException extends Exception {

    private static final long serialVersionUID = 1L;
  }

  /** A tree's root record, and what was found of it. */
  private static final class Tree {
    private final String name;
    private final boolean hasNumberKeys;
    private final int flags;
    private final int depth;
    private final long branchPages;
    private final long leafPages;
    private final long overflowPages;
    private final long entries;
    private final long root;
    private long branchesFound;
    private long leavesFound;
    private long overflowFound;
    private long entriesFound;

    Tree(String name, boolean hasNumberKeys, ByteBuffer record) {
      this.name = name;
      this.hasNumberKeys = hasNumberKeys;
      this.flags = record.getShort(4) & 0xffff;
      this.depth = record.getShort(6) & 0xffff;
      this.branchPages = record.getLong(8);
      this.leafPages = record.getLong(16);
      this.overflowPages = record.getLong(24);
      this.entries = record.getLong(32);
      this.root = record.getLong(40);
    }
  }

  /**
   * @param values room to read values into, empty where they are passed over
   */
  private FileWalk(FileChannel file, ByteBuffer meta, Optional<ByteBuffer> values)
      throws UnsoundException {
    this.file = file;
    this.values = values;
    this.pageBytes = meta.getInt(META_DATABASES_AT);
    this.lastPage = meta.getLong(META_LAST_PAGE_AT);
    if (lastPage < 1 || lastPage > Integer.MAX_VALUE) {
      throw new UnsoundException("the meta page names " + lastPage + " as the last page");
    }
    used.set(0, 2);
  }

  /**
   * Walks what the newest commit shows.
   *
   * @param readsValues whether to read all values, too, so that a device that does not give them is
   *     known
   * @throws IOException when something cannot be read
   * @return what is wrong, empty where nothing is
   */
  static Optional<String> newest(FileChannel file, boolean readsValues) throws IOException {
    try {
      ByteBuffer first = meta(file, 0);
      ByteBuffer second = meta(file, pageBytes(first));
      if (pageBytes(second) != pageBytes(first)) {
        throw new UnsoundException("the meta pages do not agree on the page size");
      }
      boolean firstIsNewer =
          first.getLong(META_TRANSACTION_AT) > second.getLong(META_TRANSACTION_AT);
      Optional<ByteBuffer> values =
          readsValues ? Optional.of(ByteBuffer.allocateDirect(VALUE_READ_BYTES)) : Optional.empty();
      return walk(file, firstIsNewer ? first : second, values);
    } catch (UnsoundException e) {
      return Optional.ofNullable(e.getMessage());
    }
  }

  /**
   * Walks what one commit shows, which a read transaction holds.
   *
   * @param transaction its number
   * @throws OvertakenException when two commits have come since, so that its meta page is gone
   */
  static Optional<String> at(FileChannel file, long transaction)
      throws IOException, OvertakenException {
    try {
      ByteBuffer first = meta(file, 0);
      ByteBuffer second = meta(file, pageBytes(first));
      if (first.getLong(META_TRANSACTION_AT) == transaction) {
        return walk(file, first, Optional.empty());
      }
      if (second.getLong(META_TRANSACTION_AT) == transaction) {
        return walk(file, second, Optional.empty());
      }
      throw new OvertakenException();
    } catch (UnsoundException e) {
      return Optional.ofNullable(e.getMessage());
    }
  }

  private static Optional<String> walk(
      FileChannel file, ByteBuffer meta, Optional<ByteBuffer> values)
      throws IOException, UnsoundException {
    FileWalk walk = new FileWalk(file, meta, values);
    ByteBuffer free = meta.slice(META_DATABASES_AT, DATABASE_BYTES).order(ByteOrder.nativeOrder());
    ByteBuffer main =
        meta.slice(META_DATABASES_AT + DATABASE_BYTES, DATABASE_BYTES)
            .order(ByteOrder.nativeOrder());
    walk.tree(new Tree("the list of maps", false, main));
    walk.tree(new Tree("the list of free pages", true, free));
    return Optional.empty();
  }

  private static int pageBytes(ByteBuffer meta) throws UnsoundException {
    int bytes = meta.getInt(META_DATABASES_AT);
    if (bytes < 512 || bytes > 1 << 16 || Integer.bitCount(bytes) != 1) {
      throw new UnsoundException("a meta page says that a page has " + bytes + " bytes");
    }
    return bytes;
  }

  private static ByteBuffer meta(FileChannel file, long at) throws IOException, UnsoundException {
    ByteBuffer meta = ByteBuffer.allocate(META_BYTES).order(ByteOrder.nativeOrder());
    if (!fill(file, meta, at)) {
      throw new UnsoundException("the file ends within its meta pages");
    }
    if (meta.getInt(PAGE_HEADER_BYTES) != MAGIC || meta.getInt(PAGE_HEADER_BYTES + 4) != VERSION) {
      throw new UnsoundException("a meta page is not LMDB's, or of another version of it");
    }
    return meta;
  }

  private static boolean fill(FileChannel file, ByteBuffer into, long at) throws IOException {
    int from = into.position();
    while (into.hasRemaining()) {
      if (file.read(into, at + into.position() - from) < 0) {
        return false;
      }
    }
    return true;
  }

  private void tree(Tree tree) throws IOException, UnsoundException {
    // The flags choose how LMDB compares keys: another order hides them.
    require(tree.flags == (tree.hasNumberKeys ? NUMBER_KEYS : 0), tree, "has flags " + tree.flags);
    if (tree.root == NO_PAGE) {
      require(tree.entries == 0 && tree.depth == 0, tree, "has no root, yet entries");
      return;
    }
    require(tree.depth >= 1 && tree.depth <= DEPTH_MAX, tree, "has a depth of " + tree.depth);
    page(tree, tree.root, 1, null, null);
    same(tree, "branch pages", tree.branchPages, tree.branchesFound);
    same(tree, "leaf pages", tree.leafPages, tree.leavesFound);
    same(tree, "overflow pages", tree.overflowPages, tree.overflowFound);
    same(tree, "entries", tree.entries, tree.entriesFound);
  }

  /**
   * @param from what no key may be below; null for no bound
   * @param to what every key must be below; null for no bound
   */
  private void page(Tree tree, long number, int depth, byte @Nullable [] from, byte @Nullable [] to)
      throws IOException, UnsoundException {
    use(tree, number, 1);
    ByteBuffer page = read(tree, number);
    int kind = page.getShort(10) & 0xffff;
    boolean isLeaf = depth == tree.depth;
    require(kind == (isLeaf ? LEAF : BRANCH), tree, "has a wrong kind of page, " + number);
    int lower = page.getShort(12) & 0xffff;
    int upper = page.getShort(14) & 0xffff;
    boolean sensible =
        lower >= PAGE_HEADER_BYTES && lower <= upper && upper <= pageBytes && lower % 2 == 0;
    require(sensible, tree, "has page " + number + " with wrong bounds");
    int nodes = (lower - PAGE_HEADER_BYTES) / 2;
    require(nodes >= (isLeaf ? 1 : 2), tree, "has page " + number + " with too few nodes");
    if (isLeaf) {
      tree.leavesFound++;
      tree.entriesFound += nodes;
      leaf(tree, page, number, nodes, from, to);
    } else {
      tree.branchesFound++;
      branch(tree, page, number, depth, from, to);
    }
    spare.push(page);
  }

  private void branch(
      Tree tree,
      ByteBuffer page,
      long number,
      int depth,
      byte @Nullable [] from,
      byte @Nullable [] to)
      throws IOException, UnsoundException {
    int nodes = ((page.getShort(12) & 0xffff) - PAGE_HEADER_BYTES) / 2;
    byte[] previous = from;
    for (int i = 0; i < nodes; i++) {
      int at = node(tree, page, number, i, 0);
      // The first key of a branch page stands for everything below the second.
      byte[] low = i == 0 ? from : key(page, at);
      byte[] high = i + 1 < nodes ? key(page, node(tree, page, number, i + 1, 0)) : to;
      if (i > 0) {
        ascends(tree, number, previous, low, i > 1);
        previous = low;
      }
      if (high != null && to != null && i + 1 < nodes) {
        require(compare(tree, high, to) < 0, tree, "has keys out of order in page " + number);
      }
      long child =
          (page.getShort(at) & 0xffffL)
              | (page.getShort(at + 2) & 0xffffL) << 16
              | (page.getShort(at + 4) & 0xffffL) << 32;
      page(tree, child, depth + 1, low, high);
    }
  }

  private void leaf(
      Tree tree,
      ByteBuffer page,
      long number,
      int nodes,
      byte @Nullable [] from,
      byte @Nullable [] to)
      throws IOException, UnsoundException {
    byte[] previous = from;
    for (int i = 0; i < nodes; i++) {
      int at = node(tree, page, number, i, 0);
      byte[] key = key(page, at);
      require(key.length > 0, tree, "has an empty key in page " + number);
      ascends(tree, number, previous, key, i > 0);
      previous = key;
      value(tree, page, number, at, i, key);
    }
    if (previous != null && to != null) {
      require(compare(tree, previous, to) < 0, tree, "has keys out of order in page " + number);
    }
  }

  private void value(Tree tree, ByteBuffer page, long number, int at, int index, byte[] key)
      throws IOException, UnsoundException {
    long size = (page.getShort(at) & 0xffffL) | (page.getShort(at + 2) & 0xffffL) << 16;
    int flags = page.getShort(at + 4) & 0xffff;
    boolean isBig = (flags & BIG_DATA) != 0;
    require((flags & ~(BIG_DATA | SUB_DATABASE)) == 0, tree, "has unknown flags in page " + number);
    node(tree, page, number, index, isBig ? Long.BYTES : size);
    int dataAt = at + NODE_HEADER_BYTES + key.length;
    if (isBig) {
      overflow(tree, page.getLong(dataAt), size);
    } else if ((flags & SUB_DATABASE) != 0) {
      require(size == DATABASE_BYTES, tree, "has a map record of " + size + " bytes");
      ByteBuffer record = page.slice(dataAt, DATABASE_BYTES).order(ByteOrder.nativeOrder());
      tree(new Tree("map " + printable(key), false, record));
    }
    if (tree.hasNumberKeys) {
      freePages(tree, isBig ? bigValue(page.getLong(dataAt), size) : slice(page, dataAt, size));
    }
  }

  /** The list of pages that a transaction gave back: how many, then their numbers. */
  private void freePages(Tree tree, ByteBuffer list) throws UnsoundException {
    require(list.remaining() >= Long.BYTES, tree, "has an entry that is too short");
    long count = list.getLong(list.position());
    require(
        count >= 0 && count <= list.remaining() / Long.BYTES - 1,
        tree,
        "has a wrong count of pages");
    for (int i = 1; i <= count; i++) {
      use(tree, list.getLong(list.position() + i * Long.BYTES), 1);
    }
  }

  private ByteBuffer bigValue(long number, long size) throws IOException {
    ByteBuffer value = ByteBuffer.allocate((int) size).order(ByteOrder.nativeOrder());
    fill(file, value, number * pageBytes + PAGE_HEADER_BYTES);
    return value.flip();
  }

  private static ByteBuffer slice(ByteBuffer page, int at, long size) {
    return page.slice(at, (int) size).order(ByteOrder.nativeOrder());
  }

  private void overflow(Tree tree, long number, long size) throws IOException, UnsoundException {
    long needed = (PAGE_HEADER_BYTES - 1 + size) / pageBytes + 1;
    require(number >= 2 && number <= lastPage, tree, "names page " + number);
    ByteBuffer header = ByteBuffer.allocate(PAGE_HEADER_BYTES).order(ByteOrder.nativeOrder());
    require(fill(file, header, number * pageBytes), tree, "names a page behind the end");
    boolean isIt = header.getLong(0) == number && (header.getShort(10) & 0xffff) == OVERFLOW;
    require(isIt, tree, "has a wrong kind of page, " + number);
    long pages = header.getInt(12) & 0xffffffffL;
    require(pages >= needed, tree, "has too few pages for a value, at " + number);
    use(tree, number, pages);
    tree.overflowFound += pages;
    if (values.isPresent()) {
      readValue(tree, number * pageBytes, PAGE_HEADER_BYTES + size, values.get());
    }
  }

  private void readValue(Tree tree, long at, long size, ByteBuffer into)
      throws IOException, UnsoundException {
    long end = at + size;
    for (long from = at; from < end; from += into.limit()) {
      into.clear().limit((int) Math.min(into.capacity(), end - from));
      require(fill(file, into, from), tree, "names a page behind the end");
    }
  }

  private ByteBuffer read(Tree tree, long number) throws IOException, UnsoundException {
    ByteBuffer page =
        spare.isEmpty()
            ? ByteBuffer.allocate(pageBytes).order(ByteOrder.nativeOrder())
            : spare.pop().clear();
    require(fill(file, page, number * pageBytes), tree, "names a page behind the end, " + number);
    require(page.getLong(0) == number, tree, "has page " + number + " that says another number");
    return page;
  }

  /** The offset of a node, once it is sure that it lies within its page. */
  private int node(Tree tree, ByteBuffer page, long number, int index, long dataBytes)
      throws UnsoundException {
    int at = page.getShort(PAGE_HEADER_BYTES + 2 * index) & 0xffff;
    int upper = page.getShort(14) & 0xffff;
    boolean hasHeader = at >= upper && at + NODE_HEADER_BYTES <= pageBytes && at % 2 == 0;
    require(hasHeader, tree, "has a node outside of page " + number);
    long end = at + NODE_HEADER_BYTES + (page.getShort(at + 6) & 0xffffL) + dataBytes;
    require(end <= pageBytes, tree, "has a node outside of page " + number);
    return at;
  }

  private static byte[] key(ByteBuffer page, int at) {
    byte[] key = new byte[page.getShort(at + 6) & 0xffff];
    page.get(at + NODE_HEADER_BYTES, key);
    return key;
  }

  private static void ascends(
      Tree tree, long number, byte @Nullable [] previous, byte @Nullable [] key, boolean strictly)
      throws UnsoundException {
    if (previous == null || key == null) {
      return;
    }
    int order = compare(tree, previous, key);
    require(strictly ? order < 0 : order <= 0, tree, "has keys out of order in page " + number);
  }

  private static int compare(Tree tree, byte[] one, byte[] other) {
    if (tree.hasNumberKeys && one.length == Long.BYTES && other.length == Long.BYTES) {
      return Long.compareUnsigned(number(one), number(other));
    }
    return Arrays.compareUnsigned(one, other);
  }

  private static long number(byte[] key) {
    return ByteBuffer.wrap(key).order(ByteOrder.nativeOrder()).getLong();
  }

  private void use(Tree tree, long first, long count) throws UnsoundException {
    require(
        first >= 2 && count >= 1 && first + count - 1 <= lastPage,
        tree,
        "names page " + first + " of " + lastPage);
    int from = (int) first;
    int next = used.nextSetBit(from);
    require(next < 0 || next >= from + count, tree, "names page " + next + ", which is in use");
    used.set(from, (int) (from + count));
  }

  private static void same(Tree tree, String what, long claimed, long found)
      throws UnsoundException {
    require(claimed == found, tree, "claims " + claimed + " " + what + " and has " + found);
  }

  private static void require(boolean holds, Tree tree, String otherwise) throws UnsoundException {
    if (!holds) {
      throw new UnsoundException(tree.name + " " + otherwise);
    }
  }

  private static String printable(byte[] key) {
    StringBuilder text = new StringBuilder();
    for (byte b : key) {
      text.append(b > ' ' && b < 127 ? (char) b : '?');
    }
    return text.toString();
  }
}
