using UniFace.Gallery.Postgres;
using UniFace.TestSupport;

namespace UniFace.Gallery.Tests.Postgres;

[CollectionDefinition("PostgreSQL")]
public sealed class PostgresGroup : ICollectionFixture<PostgresServer>;

/// <summary>The PostgreSQL gallery keeps the contract of every stored gallery.</summary>
[Collection("PostgreSQL")]
public sealed class PostgresContractTests(PostgresServer server) : StoredGalleryContractTests
{
    protected override async Task<string> CreateAsync(PersonScore scoring = PersonScore.Best, bool crops = false, int size = 8)
    {
        string url = server.Url($"g-{Guid.NewGuid():N}");
        GalleryInfo info = new() { ContractId = Contract, EmbeddingSize = size, Scoring = scoring, KeepsCrops = crops };
        await PostgresGallery.CreateAsync(PostgresAddress.Parse(url), info);
        return url;
    }

    private protected override async Task<StoredGallery> OpenAsync(string gallery) => await PostgresGallery.OpenAsync(PostgresAddress.Parse(gallery));
}
