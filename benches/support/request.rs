//! A request as a browser sends it.

/// A GET with the six fields that browsers send with every request, and further `fields`, each with its line end.
pub fn get(target: &str, connection: &str, fields: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\n\
         Host: localhost\r\n\
         Connection: {connection}\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
         Safari/537.36\r\n\
         Accept: text/css,*/*;q=0.1\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\n\
         Accept-Language: en-GB,en;q=0.9\r\n\
         {fields}\r\n"
    )
    .into_bytes()
}
