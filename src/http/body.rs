pub struct ContentReader;
