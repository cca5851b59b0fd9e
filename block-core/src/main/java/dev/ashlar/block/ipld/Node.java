package dev.ashlar.block.ipld;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A value of the data model (IPLD Data Model, "Kinds"). Immutable. */
public sealed interface Node {

  /** Nothing. */
  Node NULL = new Null();

  /** See {@link #NULL}. */
  record Null() implements Node {}

  /** A boolean. */
  record Bool(boolean value) implements Node {}

  /** A whole number: 64 bits, with a sign or without. */
  record Int(BigInteger value) implements Node {}

  /** A number with a fraction: finite. */
  record Decimal(double value) implements Node {

    /** Checks that it is finite. */
    public Decimal {
      if (!Double.isFinite(value)) {
        throw new MalformedException("the data model has no number " + value);
      }
    }
  }

  /** Text. */
  record Text(String value) implements Node {

    /** Checks that there is UTF-8 for it. */
    public Text {
      requireUtf8(value);
    }
  }

  /** Half a surrogate pair has no UTF-8, and would be read back as something else. */
  private static void requireUtf8(String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new MalformedException("text that cannot be written as UTF-8");
    }
  }

  /** Bytes, from position 0; the buffer is not changed by anybody. */
  record Bytes(ByteBuffer value) implements Node {

    /** Makes the buffer read-only. */
    public Bytes {
      value = value.slice().asReadOnlyBuffer();
    }
  }

  /** Values one after the other. */
  record Sequence(List<Node> values) implements Node {

    /** Copies the list. */
    public Sequence {
      values = List.copyOf(values);
    }
  }

  /** Values by name, in the order in which they were read. */
  record Mapping(Map<String, Node> values) implements Node {

    /** Copies the map. */
    public Mapping {
      values.keySet().forEach(Node::requireUtf8);
      values = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }
  }

  /** A link to another block. */
  record Link(Cid cid) implements Node {}
}
