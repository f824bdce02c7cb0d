using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.VectorData;

namespace UniFace.Gallery.VectorData;

/// <summary>
/// Records of a gallery in a vector store: one a template, and one that says what the gallery is, under a key that is always the same.
/// </summary>
internal sealed class VectorStoreRecords(VectorStoreGalleryOptions options)
{
    /// <summary>Names of a record's properties.</summary>
    public const string Key = "key", Id = "template", Person = "person", Source = "source", Contract = "contract", Gallery = "gallery", Vector = "embedding";

    private const string Format = "uniface-gallery-1";

    private static readonly Guid InfoGuid = new("756e6966-6163-6521-8001-000000000001");

    /// <summary>Key of the record of the gallery itself.</summary>
    public object InfoKey => KeyOf(InfoGuid);

    /// <summary>The collection as the store is to make it.</summary>
    /// <param name="size">Values in an embedding.</param>
    public VectorStoreCollectionDefinition Definition(int size) => new()
    {
        Properties =
        [
            new VectorStoreKeyProperty(Key, options.KeyType),
            new VectorStoreDataProperty(Id, typeof(long)) { IsIndexed = true },
            new VectorStoreDataProperty(Person, typeof(string)) { IsIndexed = true },
            new VectorStoreDataProperty(Source, typeof(string)),
            new VectorStoreDataProperty(Contract, typeof(string)),
            new VectorStoreDataProperty(Gallery, typeof(string)),
            new VectorStoreVectorProperty(Vector, typeof(ReadOnlyMemory<float>), size) { DistanceFunction = options.DistanceFunction, IndexKind = options.IndexKind },
        ],
    };

    /// <summary>A template's record.</summary>
    public static Dictionary<string, object?> Template(object key, long id, Enrolment enrolment, GalleryInfo info) => new()
    {
        [Key] = key,
        [Id] = id,
        [Person] = enrolment.Person,
        [Source] = enrolment.Source ?? "",
        [Contract] = info.ContractId,
        [Gallery] = info.Id,
        [Vector] = enrolment.Embedding,
    };

    /// <summary>Key of a template's record: made of person and photo if the photo's hash is given, else a new one.</summary>
    public object KeyOf(Enrolment enrolment, GalleryInfo info) => KeyOf(enrolment.PhotoSha256 is string photo
        ? new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{info.Id}|{photo}|{enrolment.Person}")).AsSpan(0, 16))
        : Guid.CreateVersion7());

    /// <summary>The record of the gallery itself: no person, id 0; a vector, because most stores want one.</summary>
    public Dictionary<string, object?> Info(GalleryInfo info)
    {
        float[] vector = new float[info.EmbeddingSize];
        vector[0] = 1;
        return new()
        {
            [Key] = InfoKey,
            [Id] = 0L,
            [Person] = "",
            [Source] = string.Create(CultureInfo.InvariantCulture, $"{Format}|{info.EmbeddingSize}|{info.Package}"),
            [Contract] = info.ContractId,
            [Gallery] = info.Id,
            [Vector] = (ReadOnlyMemory<float>)vector,
        };
    }

    /// <summary>What the gallery is; null where the record is none of a gallery.</summary>
    public static GalleryInfo? ReadInfo(Dictionary<string, object?> record)
    {
        string[] parts = Text(record, Source).Split('|', 3);
        return parts is [Format, string size, string package] && int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int values) && values is >= 1 and <= 65536 && Text(record, Contract).Length > 0
            ? new GalleryInfo { Id = Text(record, Gallery), ContractId = Text(record, Contract), EmbeddingSize = values, Package = package.Length > 0 ? package : null }
            : null;
    }

    /// <summary>A text of a record.</summary>
    public static string Text(Dictionary<string, object?> record, string property) => record.GetValueOrDefault(property) as string ?? "";

    /// <summary>A number of a record; stores differ in the type they give it back in.</summary>
    public static long Number(Dictionary<string, object?> record, string property) => Convert.ToInt64(record.GetValueOrDefault(property), CultureInfo.InvariantCulture);

    /// <summary>A record's embedding; null where the store gave none.</summary>
    public static ReadOnlyMemory<float>? Embedding(Dictionary<string, object?> record) => record.GetValueOrDefault(Vector) switch
    {
        ReadOnlyMemory<float> memory => memory,
        float[] array => array,
        Microsoft.Extensions.AI.Embedding<float> embedding => embedding.Vector,
        _ => null,
    };

    private object KeyOf(Guid key) => options.KeyType == typeof(Guid) ? key : key.ToString();
}
