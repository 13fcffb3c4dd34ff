-- Which objects are not yet under the newest epoch, and how many are under each: for sealing anew.

CREATE INDEX objects_epoch ON objects (epoch, n);
