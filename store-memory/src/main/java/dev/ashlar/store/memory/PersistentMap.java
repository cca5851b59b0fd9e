package dev.ashlar.store.memory;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An immutable ordered map from bytes to bytes: a treap whose changes copy the path to the root and
 * share the rest, so that a snapshot is a reference (Seidel and Aragon, "Randomized Search Trees").
 * Priorities are a hash of the key, so equal contents have equal shapes.
 */
final class PersistentMap {

  static final PersistentMap EMPTY = new PersistentMap(null);

  private final @Nullable Node root;

  private PersistentMap(@Nullable Node root) {
    this.root = root;
  }

  byte @Nullable [] get(byte[] key) {
    Node node = root;
    while (node != null) {
      int order = Arrays.compareUnsigned(key, node.key);
      if (order == 0) {
        return node.value;
      }
      node = order < 0 ? node.left : node.right;
    }
    return null;
  }

  PersistentMap with(byte[] key, byte[] value) {
    return new PersistentMap(put(root, new Node(key, value, priority(key), null, null)));
  }

  PersistentMap without(byte[] key) {
    return new PersistentMap(remove(root, key));
  }

  /** The entry with the smallest key that is not below the given one, or above it if that is so. */
  @Nullable Node ceiling(byte[] key, boolean above) {
    Node found = null;
    Node node = root;
    while (node != null) {
      int order = Arrays.compareUnsigned(node.key, key);
      if (order > 0 || (order == 0 && !above)) {
        found = node;
        node = node.left;
      } else {
        node = node.right;
      }
    }
    return found;
  }

  private static Node put(@Nullable Node node, Node added) {
    if (node == null) {
      return added;
    }
    int order = Arrays.compareUnsigned(added.key, node.key);
    if (order == 0) {
      return new Node(added.key, added.value, node.priority, node.left, node.right);
    }
    if (added.priority > node.priority) {
      return new Node(
          added.key, added.value, added.priority, below(node, added.key), above(node, added.key));
    }
    return order < 0
        ? node.withChildren(put(node.left, added), node.right)
        : node.withChildren(node.left, put(node.right, added));
  }

  private static @Nullable Node remove(@Nullable Node node, byte[] key) {
    if (node == null) {
      return null;
    }
    int order = Arrays.compareUnsigned(key, node.key);
    if (order == 0) {
      return join(node.left, node.right);
    }
    return order < 0
        ? node.withChildren(remove(node.left, key), node.right)
        : node.withChildren(node.left, remove(node.right, key));
  }

  /** The entries below a key. */
  private static @Nullable Node below(@Nullable Node node, byte[] key) {
    if (node == null) {
      return null;
    }
    return Arrays.compareUnsigned(node.key, key) < 0
        ? node.withChildren(node.left, below(node.right, key))
        : below(node.left, key);
  }

  /** The entries above a key. */
  private static @Nullable Node above(@Nullable Node node, byte[] key) {
    if (node == null) {
      return null;
    }
    return Arrays.compareUnsigned(node.key, key) > 0
        ? node.withChildren(above(node.left, key), node.right)
        : above(node.right, key);
  }

  /** Two trees of which every key of the first is below every key of the second. */
  private static @Nullable Node join(@Nullable Node low, @Nullable Node high) {
    if (low == null || high == null) {
      return low == null ? high : low;
    }
    return low.priority > high.priority
        ? low.withChildren(low.left, join(low.right, high))
        : high.withChildren(join(low, high.left), high.right);
  }

  /** Spreads the bits of the key's hash (the finalizer of MurmurHash3). */
  private static int priority(byte[] key) {
    int hash = Arrays.hashCode(key);
    hash = (hash ^ (hash >>> 16)) * 0x85ebca6b;
    hash = (hash ^ (hash >>> 13)) * 0xc2b2ae35;
    return hash ^ (hash >>> 16);
  }

  /** An entry and what hangs below it. Arrays are never changed once they are in a node. */
  static final class Node {
    final byte[] key;
    final byte[] value;
    private final int priority;
    private final @Nullable Node left;
    private final @Nullable Node right;

    private Node(
        byte[] key, byte[] value, int priority, @Nullable Node left, @Nullable Node right) {
      this.key = key;
      this.value = value;
      this.priority = priority;
      this.left = left;
      this.right = right;
    }

    private Node withChildren(@Nullable Node newLeft, @Nullable Node newRight) {
      return newLeft == left && newRight == right
          ? this
          : new Node(key, value, priority, newLeft, newRight);
    }
  }
}
