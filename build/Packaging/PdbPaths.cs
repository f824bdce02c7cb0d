// Prints the source files in portable debug symbols that have paths of the machine that built them, and fails if there are some. The names in the symbols are
// split into parts, so that a search for the text finds none. PdbPaths.cs FILE.pdb...
using System.Reflection.Metadata;

bool found = false;
foreach (string file in args)
{
    using FileStream stream = File.OpenRead(file);
    using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(stream);
    MetadataReader reader = provider.GetMetadataReader();
    int documents = 0;
    foreach (DocumentHandle handle in reader.Documents)
    {
        documents++;
        string name = reader.GetString(reader.GetDocument(handle).Name);
        if (!name.StartsWith("/_", StringComparison.Ordinal))
        {
            Console.WriteLine($"{Path.GetFileName(file)}: {name}");
            found = true;
        }
    }

    if (documents == 0)
    {
        Console.WriteLine($"{Path.GetFileName(file)}: names no source file");
        found = true;
    }
}

return found ? 1 : 0;
