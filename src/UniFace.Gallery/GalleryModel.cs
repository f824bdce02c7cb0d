namespace UniFace.Gallery;

/// <summary>A model that a gallery is to move to.</summary>
/// <param name="ContractId">Its contract id.</param>
/// <param name="EmbeddingSize">Values in its embeddings.</param>
/// <param name="Package">Path of its package; null if there is none.</param>
/// <param name="Embed">Computes L2-normalized embeddings, [crops, D], from crops, PNG or JPEG files.</param>
internal sealed record GalleryModel(string ContractId, int EmbeddingSize, string? Package, Func<IReadOnlyList<byte[]>, float[]> Embed);
