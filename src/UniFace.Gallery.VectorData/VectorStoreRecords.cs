using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Record = System.Collections.Generic.Dictionary<string, object?>;

namespace UniFace.Gallery.VectorData;

/// <summary>Records of a gallery in a vector store: one per template, and one with a fixed key that describes the gallery.</summary>
internal sealed class VectorStoreRecords
{
    /// <summary>Names of a record's properties.</summary>
    public const string Key = "key", Id = "template", Person = "person", Source = "source", Contract = "contract", Gallery = "gallery", Vector = "embedding";

    private const string Format = "uniface-gallery-1";

    private static readonly Guid InfoGuid = new("756e6966-6163-6521-8001-000000000001");

    /// <summary>Records in a collection with some settings.</summary>
    /// <exception cref="UniFaceException">Keys of this type are not supported.</exception>
    public VectorStoreRecords(VectorStoreGalleryOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.LargestSearch, 1, nameof(options));
        Options = options.KeyType == typeof(string) || options.KeyType == typeof(Guid)
            ? options
            : throw new UniFaceException($"a gallery's records have keys of type string or Guid, not {options.KeyType.Name}.");
    }

    /// <summary>Settings of the collection.</summary>
    public VectorStoreGalleryOptions Options { get; }

    /// <summary>Key of the record that describes the gallery.</summary>
    public object InfoKey => ToKey(InfoGuid);

    /// <summary>Definition of the collection.</summary>
    /// <param name="size">Values in an embedding.</param>
    public VectorStoreCollectionDefinition Definition(int size) => new()
    {
        Properties =
        [
            new VectorStoreKeyProperty(Key, Options.KeyType),
            new VectorStoreDataProperty(Id, typeof(long)) { IsIndexed = true },
            new VectorStoreDataProperty(Person, typeof(string)) { IsIndexed = true },
            new VectorStoreDataProperty(Source, typeof(string)),
            new VectorStoreDataProperty(Contract, typeof(string)),
            new VectorStoreDataProperty(Gallery, typeof(string)),
            new VectorStoreVectorProperty(Vector, typeof(ReadOnlyMemory<float>), size)
            {
                DistanceFunction = Options.DistanceFunction,
                IndexKind = Options.IndexKind,
            },
        ],
    };

    /// <summary>The record of a template.</summary>
    public static Record CreateTemplate(object key, long id, Enrollment enrollment, GalleryInfo info) =>
        Create(key, id, enrollment.Person, enrollment.Source ?? "", info, enrollment.Embedding);

    /// <summary>The record that describes the gallery: no person and id 0; it has a vector because most stores require one.</summary>
    public Record CreateInfo(GalleryInfo info)
    {
        float[] vector = new float[info.EmbeddingSize];
        vector[0] = 1;
        return Create(InfoKey, 0, "", string.Create(CultureInfo.InvariantCulture, $"{Format}|{info.EmbeddingSize}|{info.Package}"), info, vector);
    }

    /// <summary>Key of a template's record: derived from person and photo if the photo's hash is given, else random.</summary>
    public object CreateKey(Enrollment enrollment, GalleryInfo info) => ToKey(enrollment.PhotoSha256 is string photo
        ? new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{info.Id}|{photo}|{enrollment.Person}")).AsSpan(0, 16))
        : Guid.CreateVersion7());

    /// <summary>What the gallery is; null if the record does not describe a gallery.</summary>
    public static GalleryInfo? ReadInfo(Record record) =>
        GetText(record, Source).Split('|', 3) is [Format, string size, string package]
        && int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int values)
        && values is >= 1 and <= 65536
        && GetText(record, Contract) is { Length: > 0 } contract
            ? new GalleryInfo { Id = GetText(record, Gallery), ContractId = contract, EmbeddingSize = values, Package = package.Length > 0 ? package : null }
            : null;

    /// <summary>A text of a record; empty if it is missing.</summary>
    public static string GetText(Record record, string property) => record.GetValueOrDefault(property) as string ?? "";

    /// <summary>A template's id; stores differ in the type of number that they return.</summary>
    public static long GetId(Record record) => Convert.ToInt64(record.GetValueOrDefault(Id), CultureInfo.InvariantCulture);

    /// <summary>A record's embedding; null if the store returned none.</summary>
    public static ReadOnlyMemory<float>? GetEmbedding(Record record) => record.GetValueOrDefault(Vector) switch
    {
        ReadOnlyMemory<float> memory => memory,
        float[] array => array,
        Embedding<float> embedding => embedding.Vector,
        _ => null,
    };

    private static Record Create(object key, long id, string person, string source, GalleryInfo info, ReadOnlyMemory<float> vector) => new()
    {
        [Key] = key,
        [Id] = id,
        [Person] = person,
        [Source] = source,
        [Contract] = info.ContractId,
        [Gallery] = info.Id,
        [Vector] = vector,
    };

    private object ToKey(Guid key) => Options.KeyType == typeof(Guid) ? key : key.ToString();
}
