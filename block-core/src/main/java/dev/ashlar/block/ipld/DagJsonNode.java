package dev.ashlar.block.ipld;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Values as dag-json (DAG-JSON specification). */
final class DagJsonNode {

  private static final String RESERVED = "/";
  private static final String BYTES = "bytes";

  private DagJsonNode() {}

  static Node decode(ByteBuffer bytes) {
    try (JsonParser parser = DagJson.parser(bytes)) {
      parser.nextToken();
      Node node = read(parser, new ValueCount());
      if (parser.nextToken() != null) {
        throw new MalformedException("text follows the JSON value");
      }
      return node;
    } catch (IOException e) {
      throw DagJson.malformed(e);
    }
  }

  /** The value that begins with the current token. */
  private static Node read(JsonParser parser, ValueCount count) throws IOException {
    count.add();
    JsonToken token = parser.currentToken();
    if (token == null) {
      throw new MalformedException("the JSON is cut off");
    }
    return switch (token) {
      case VALUE_NULL -> Node.NULL;
      case VALUE_TRUE -> new Node.Bool(true);
      case VALUE_FALSE -> new Node.Bool(false);
      case VALUE_STRING -> new Node.Text(parser.getText());
      case VALUE_NUMBER_INT -> new Node.Int(parser.getBigIntegerValue());
      case VALUE_NUMBER_FLOAT -> new Node.Decimal(parser.getDoubleValue());
      case START_ARRAY -> {
        List<Node> values = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          values.add(read(parser, count));
        }
        yield new Node.Sequence(values);
      }
      case START_OBJECT -> {
        Map<String, Node> values = new LinkedHashMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String key = parser.currentName();
          parser.nextToken();
          if (values.put(key, read(parser, count)) != null) {
            throw new MalformedException("key '" + key + "' is in a JSON object twice");
          }
        }
        yield special(values).orElseGet(() -> new Node.Mapping(values));
      }
      default -> throw new MalformedException("JSON has " + token + " where no value is");
    };
  }

  /** A link or bytes, where an object is one. */
  private static Optional<Node> special(Map<String, Node> values) {
    Node inner = values.get(RESERVED);
    if (inner == null || values.size() > 1) {
      return Optional.empty();
    }
    if (inner instanceof Node.Text text) {
      return Optional.of(new Node.Link(Cid.parse(text.value())));
    }
    if (inner instanceof Node.Mapping map
        && map.values().size() == 1
        && map.values().get(BYTES) instanceof Node.Text text) {
      try {
        return Optional.of(
            new Node.Bytes(ByteBuffer.wrap(Base64.getDecoder().decode(text.value()))));
      } catch (IllegalArgumentException e) {
        throw new MalformedException("dag-json bytes are not base64: " + e.getMessage());
      }
    }
    return Optional.empty();
  }

  static ByteBuffer encode(Node node) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = DagJson.generator(out)) {
      write(json, node, 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ByteBuffer.wrap(out.toByteArray());
  }

  private static void write(JsonGenerator json, Node node, int depth) throws IOException {
    if (depth > NodeCodec.DEPTH_MAX) {
      throw new MalformedException(
          "a value is nested more than " + NodeCodec.DEPTH_MAX + " levels deep");
    }
    if (node instanceof Node.Null) {
      json.writeNull();
    } else if (node instanceof Node.Bool bool) {
      json.writeBoolean(bool.value());
    } else if (node instanceof Node.Int number) {
      json.writeNumber(number.value());
    } else if (node instanceof Node.Decimal number) {
      json.writeNumber(number.value());
    } else if (node instanceof Node.Text text) {
      json.writeString(text.value());
    } else if (node instanceof Node.Bytes bytes) {
      byte[] copy = new byte[bytes.value().remaining()];
      bytes.value().duplicate().get(copy);
      json.writeStartObject();
      json.writeObjectFieldStart(RESERVED);
      json.writeStringField(BYTES, Base64.getEncoder().withoutPadding().encodeToString(copy));
      json.writeEndObject();
      json.writeEndObject();
    } else if (node instanceof Node.Link link) {
      json.writeStartObject();
      json.writeStringField(RESERVED, link.cid().toString());
      json.writeEndObject();
    } else if (node instanceof Node.Sequence list) {
      json.writeStartArray();
      for (Node value : list.values()) {
        write(json, value, depth + 1);
      }
      json.writeEndArray();
    } else if (node instanceof Node.Mapping map) {
      writeMap(json, map, depth);
    }
  }

  /** Keys by their bytes (DAG-JSON, "Strictness"). */
  private static void writeMap(JsonGenerator json, Node.Mapping map, int depth) throws IOException {
    if (special(map.values()).isPresent()) {
      throw new MalformedException("dag-json has no form for a map that looks like a link");
    }
    TreeMap<String, Node> sorted =
        new TreeMap<>(
            (a, b) ->
                Arrays.compareUnsigned(
                    a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8)));
    sorted.putAll(map.values());
    json.writeStartObject();
    for (Map.Entry<String, Node> entry : sorted.entrySet()) {
      json.writeFieldName(entry.getKey());
      write(json, entry.getValue(), depth + 1);
    }
    json.writeEndObject();
  }
}
